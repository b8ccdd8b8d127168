"""The table of drills and the fault matrix that is written from it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.architecture.sources import ROOT
from tuntas_demo.drills import matrix, registry, runner
from tuntas_demo.drills.model import Drill
from tuntas_demo.drills.registry import DRILLS, drills_named
from tuntas_demo.drills.runner import Result
from tuntas_operations.cli import app
from tuntas_operations.errors import StackError

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
def test_no_drill_asks_an_operator_to_restart_anything(drill: Drill) -> None:
    said = " ".join((drill.waits, drill.goes_on, drill.operator))
    assert not re.search(r"\brestart", said, re.IGNORECASE)


def test_every_family_is_in_the_table_under_names_of_their_own() -> None:
    families = [module for module in vars(registry).values() if hasattr(module, "DRILLS")]
    assert len(DRILLS) == sum(len(family.DRILLS) for family in families)


def test_the_matrix_is_what_the_drills_say() -> None:
    assert matrix.main("check") == 0
    page = matrix.MATRIX.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in DRILLS)


def test_what_was_not_seen_to_hold_has_an_empty_cell() -> None:
    seen = {
        "service-killed": {"outcome": "held", "measured": {"delivered": 3.25}},
        "broker-killed": {"outcome": "failed", "measured": {"delivered": 3.25}},
    }
    lines = [line.split(" | ") for line in matrix.matrix(seen, None).splitlines()]
    rows = {cells[1].split()[0]: cells[5] for cells in lines if len(cells) == 8 and cells[1].startswith("`")}
    assert rows.pop("`service-killed`") == "delivered 3.2 s"
    assert set(rows.values()) == {""}
    assert len(rows) == len(DRILLS) - 1


def test_results_are_kept_beside_those_of_other_drills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def done(drills: Sequence[Drill], *_: object) -> list[Result]:
        return [Result(drill.name, "held", 1.0) for drill in drills]

    monkeypatch.setattr(runner, "run_drills", done)
    for name in ("slow-clients", "service-killed", "slow-clients"):
        assert CliRunner().invoke(app, ["drill", name, "--store", str(tmp_path / "seen.json")]).exit_code == 0
    kept = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert [result["name"] for result in kept] == ["service-killed", "slow-clients"]


def test_drills_are_chosen_by_name() -> None:
    assert [drill.name for drill in drills_named(["one-broker-killed", "service-killed"])] == ["service-killed", "one-broker-killed"]
    assert drills_named([]) == list(DRILLS.values())
    with pytest.raises(StackError, match="no drill broker-kiled"):
        drills_named(["broker-kiled"])


def test_the_command_lists_them() -> None:
    result = CliRunner().invoke(app, ["drill", "--list"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(DRILLS)
