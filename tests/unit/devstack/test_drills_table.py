"""The table of drills and the fault matrix that is written from it."""

import re

import pytest
import yaml
from typer.testing import CliRunner

from tests.architecture.sources import ROOT
from tuntas_devstack.cli import app
from tuntas_devstack.drills import matrix, registry
from tuntas_devstack.drills.model import Drill
from tuntas_devstack.drills.registry import DRILLS, drills_named
from tuntas_devstack.errors import StackError

RULES = ROOT / "deploy" / "prometheus" / "rules"
EVERY = pytest.mark.parametrize("drill", DRILLS.values(), ids=list(DRILLS))


def alerts() -> set[str]:
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES.glob("*.yaml")]
    return {rule["alert"] for file in found for group in file["groups"] for rule in group["rules"] if "alert" in rule}


@EVERY
def test_its_alerts_exist_and_have_a_runbook(drill: Drill) -> None:
    assert set(drill.alerts) <= alerts()
    assert all((ROOT / "docs" / "runbooks" / f"{alert}.md").exists() for alert in drill.alerts)


@EVERY
def test_nobody_is_told_to_restart_anything(drill: Drill) -> None:
    said = " ".join((drill.waits, drill.goes_on, drill.operator))
    assert not re.search(r"\brestart", said, re.IGNORECASE)


def test_every_family_is_in_the_table_under_names_of_their_own() -> None:
    families = [module for module in vars(registry).values() if hasattr(module, "DRILLS")]
    assert len(DRILLS) == sum(len(family.DRILLS) for family in families)


def test_the_matrix_is_what_the_drills_say() -> None:
    assert matrix.main("check") == 0
    page = matrix.MATRIX.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in DRILLS)


def test_drills_are_chosen_by_name() -> None:
    assert [drill.name for drill in drills_named(["one-broker-killed", "service-killed"])] == ["service-killed", "one-broker-killed"]
    assert drills_named([]) == list(DRILLS.values())
    with pytest.raises(StackError, match="no drill broker-kiled"):
        drills_named(["broker-kiled"])


def test_the_command_lists_them() -> None:
    result = CliRunner().invoke(app, ["drill", "--list"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(DRILLS)
