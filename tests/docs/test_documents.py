"""The documents hold together: what they link to exists, and what they name is in the code."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from dispatch.metrics import METRICS as DISPATCH
from intake.metrics import METRICS as INTAKE
from notifier.metrics import METRICS as NOTIFIER
from sla_monitor.metrics import METRICS as SLA_MONITOR
from triage.metrics import METRICS as TRIAGE
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS
from tuntas_operations.cli import app as cli
from tuntas_operations.reconcile_metrics import RECONCILE_METRICS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_MAKE = re.compile(r"`make ([a-z0-9-]+)")
_TUNTAS = re.compile(r"`(?:\.venv/bin/)?tuntas ([a-z]+(?: [a-z]+)*)")
_METRIC = re.compile(r"`(tuntas_(?!contracts|reference|chassis|operations|embedded|devstack|demo|tools)\w+)`")
_LISTS = (CHASSIS_METRICS, INTAKE, TRIAGE, DISPATCH, SLA_MONITOR, NOTIFIER, RECONCILE_METRICS)
_METRICS = {metric.name for metrics in _LISTS for metric in metrics}
_REQUIREMENT = re.compile(r"[A-Za-z0-9_.-]+")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_something(document: Path) -> None:
    targets = [link for link in _LINK.findall(document.read_text(encoding="utf-8")) if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in targets if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_and_metrics_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(_MAKE.findall(text)) <= targets
    assert [words for words in _TUNTAS.findall(text) if not _is_command(words.split())] == []
    assert set(_METRIC.findall(text)) <= _METRICS


def _is_command(words: list[str]) -> bool:
    """Whether the words lead to a command or a group of them; what follows a command are its arguments."""
    found: object = get_command(cli)
    for word in words:
        commands = getattr(found, "commands", None)
        if commands is None:
            return True
        if word not in commands:
            return False
        found = commands[word]
    return True


def _declared() -> Iterator[str]:
    for file in (ROOT / "pyproject.toml", *ROOT.glob("*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))
        for line in (*project["project"].get("dependencies", ()), *project.get("dependency-groups", {}).get("dev", ())):
            found = _REQUIREMENT.match(line)
            if found and not found[0].startswith("tuntas"):
                yield found[0]


def test_every_dependency_has_its_line() -> None:
    rows = re.findall(r"^\| `([^`]+)`", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(set(rows)), "a dependency has two lines"
    assert set(_declared()) <= set(rows), "give each new dependency a line in docs/dependencies.md"
    assert set(rows) - set(_declared()) <= {"hatchling", "uv", "pip"}, "a line in docs/dependencies.md is of a dependency that is gone"
