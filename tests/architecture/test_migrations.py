"""Migrations only expand: the release before must run on the schema of this one while it is rolled out."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import SERVICES, files, shown, tree
from tuntas_chassis.persistence.migrations import head_revision

VERSIONS = [path for package in SERVICES.values() for path in files(package / "migrations/versions") if path.name != "__init__.py"]
DESTRUCTIVE = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|CONSTRAINT|TYPE|SCHEMA|VIEW|NOT\s+NULL)|TRUNCATE|RENAME\s+(TO|COLUMN)|ALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE|SET\s+NOT\s+NULL)\b",
    re.IGNORECASE,
)
REPLACED = re.compile(r"\bDROP\s+CONSTRAINT\s+(\w+),\s+ADD\s+CONSTRAINT\s+\1\b", re.IGNORECASE)  # by a wider one, in one statement
OPERATIONS = {"drop_table", "drop_column", "drop_constraint", "alter_column", "rename_table"}


def _function(path: Path, name: str) -> ast.FunctionDef | None:
    return next((node for node in tree(path).body if isinstance(node, ast.FunctionDef) and node.name == name), None)


@pytest.mark.parametrize("path", VERSIONS, ids=shown)
def test_it_takes_nothing_away(path: Path) -> None:
    upgrade = _function(path, "upgrade")
    assert upgrade is not None
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = DESTRUCTIVE.search(REPLACED.sub("", node.value))
            assert found is None, f"{shown(path, node)}: {found.group() if found else ''}; expand now, contract in a later release"
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "op":
            assert node.attr not in OPERATIONS, f"{shown(path, node)}: op.{node.attr}"


@pytest.mark.parametrize("path", VERSIONS, ids=shown)
def test_there_is_no_way_back_that_would_lose_data(path: Path) -> None:
    back = _function(path, "downgrade")
    steps = [node for node in back.body if not isinstance(node, ast.Expr)] if back else []
    assert all(isinstance(step, ast.Raise) for step in steps), "a release is rolled back by its code alone: the schema serves both"


@pytest.mark.parametrize("path", VERSIONS, ids=shown)
def test_its_file_is_named_by_its_revision(path: Path) -> None:
    assigned = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in tree(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("revision")
    }
    assert re.fullmatch(r"\d{4}_[a-z0-9_]+", path.stem)
    number = path.stem[:4]
    assert assigned["revision"] == number
    assert assigned["down_revision"] == (None if number == "0001" else f"{int(number) - 1:04}")


@pytest.mark.parametrize("service", SERVICES)
def test_the_head_that_the_code_asks_for_is_the_last_file(service: str) -> None:
    numbers = [path.stem[:4] for path in files(SERVICES[service] / "migrations/versions") if path.name != "__init__.py"]
    assert numbers == sorted(set(numbers))
    assert head_revision(SERVICES[service].name) == numbers[-1]
