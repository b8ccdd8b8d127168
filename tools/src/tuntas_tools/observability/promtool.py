"""promtool on the rules and the dashboards' queries of a checkout."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tuntas_embedded.prometheus.programs import find_promtool
from tuntas_tools.observability.dashboards.model import Dashboard

_WITHIN_S = 300
_RANGE = re.compile(r"\$__\w+")


def check_rules(root: Path) -> str | None:
    """What promtool finds wrong in the rule files; None if nothing. Raises MissingProgram."""
    files = sorted((root / "deploy" / "prometheus" / "rules").glob("*.yaml"))
    return _run(["check", "rules", *map(str, files)], root)


def check_queries(dashboards: Sequence[Dashboard]) -> str | None:
    """Which queries of panels do not parse, as promtool says it of rules with their names; None if all do. Raises MissingProgram."""
    groups = [
        {
            "name": f"{dashboard.file}.yaml: row {row.title!r}: panel {panel.title!r}",
            "rules": [
                {"record": f"query_{number}", "expr": _RANGE.sub("5m", query.expr), "labels": {"legend": query.legend}}
                for number, query in enumerate(panel.queries, 1)
            ],
        }
        for dashboard in dashboards
        for row in dashboard.rows
        for panel in row.panels
    ]
    with TemporaryDirectory() as folder:
        (Path(folder) / "queries.yaml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
        return _run(["check", "rules", "--lint=none", "queries.yaml"], Path(folder))


def unit_tests(root: Path) -> list[Path]:
    """The files of unit tests."""
    return sorted((root / "deploy" / "prometheus" / "tests").glob("*.yaml"))


def run_tests(file: Path) -> str | None:
    """What fails in a file of unit tests; None if nothing. Raises MissingProgram."""
    return _run(["test", "rules", file.name], file.parent)


def _run(arguments: list[str], folder: Path) -> str | None:
    done = subprocess.run([str(find_promtool()), *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=_WITHIN_S)
    return f"{done.stdout}{done.stderr}" if done.returncode else None
