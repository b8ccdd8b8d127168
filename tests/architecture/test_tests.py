"""The tests themselves: they wait for conditions, never for time to pass, and never skip silently."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, calls, files, shown, tree

TESTS = list(files(ROOT / "tests"))
TIME_IS_THE_MATTER: dict[str, str] = {
    "tests/integration/chassis/test_watermarks.py": "transactions that last, between the time of an event and its row",
}

SHIRKING = {"pytest.skip", "pytest.xfail", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.xfail"}


def _sleeps_outside_loops(path: Path) -> Iterator[ast.Call]:
    """Calls of `sleep` with no `while` or `for` around them that asks for a condition again; `sleep(0)` only lets others run."""

    def look(node: ast.AST, inside: bool) -> Iterator[ast.Call]:
        for child in ast.iter_child_nodes(node):
            starts_new_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            within = not starts_new_function and (inside or isinstance(child, ast.While | ast.For | ast.AsyncFor))
            if isinstance(child, ast.Call) and not inside and _is_sleep(child):
                yield child
            yield from look(child, within)

    return look(tree(path), False)


def _is_sleep(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "sleep" and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)


def test_no_test_waits_for_time_to_pass() -> None:
    found = [shown(path, call) for path in TESTS if shown(path) not in TIME_IS_THE_MATTER for call in _sleeps_outside_loops(path)]
    assert found == [], "wait for a condition with a deadline: tests.support.waiting.until"


def test_every_exception_from_that_is_still_needed() -> None:
    assert [name for name in TIME_IS_THE_MATTER if not list(_sleeps_outside_loops(ROOT / name))] == []


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_tests_lie_in_a_folder_for_each_distribution(kind: str) -> None:
    folders = {folder.name for folder in (ROOT / "tests" / kind).iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    assert folders <= {name.replace("-", "_") for name in PACKAGES}


def test_no_test_is_skipped_or_expected_to_fail_but_for_the_system_that_it_is_about() -> None:
    found = []
    for path in TESTS:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in SHIRKING:
                found.append(shown(path, node))
        for call in calls(path, "skipif"):
            if not re.match(r"sys\.platform |os\.geteuid\(\) ", ast.unparse(call.args[0])):
                found.append(shown(path, call))
    assert found == []


def test_every_test_asserts_something() -> None:
    """By itself, by `raises`, or by a function of its file or of the support that does."""
    idle = []
    for path in TESTS:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") and not _can_fail(node):
                idle.append(f"{shown(path, node)} {node.name}")
    assert idle == []


def _can_fail(test: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(node, ast.Assert | ast.Raise) or (isinstance(node, ast.Call) and ast.unparse(node.func) not in ("print", "len"))
        for node in ast.walk(test)
    )
