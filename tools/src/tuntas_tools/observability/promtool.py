"""promtool on the rules of a checkout."""

import subprocess
from pathlib import Path

from tuntas_embedded.prometheus.programs import find_promtool

_WITHIN_S = 300


def check_rules(root: Path) -> str | None:
    """What promtool finds wrong in the rule files; None if nothing. Raises MissingProgram."""
    files = sorted((root / "deploy" / "prometheus" / "rules").glob("*.yaml"))
    return _run(["check", "rules", *map(str, files)], root)


def unit_tests(root: Path) -> list[Path]:
    """The files of unit tests."""
    return sorted((root / "deploy" / "prometheus" / "tests").glob("*.yaml"))


def run_tests(file: Path) -> str | None:
    """What fails in a file of unit tests; None if nothing. Raises MissingProgram."""
    return _run(["test", "rules", file.name], file.parent)


def _run(arguments: list[str], folder: Path) -> str | None:
    done = subprocess.run([str(find_promtool()), *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=_WITHIN_S)
    return f"{done.stdout}{done.stderr}" if done.returncode else None
