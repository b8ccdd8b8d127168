"""The source files of this repository, and what is in them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tuntas_contracts.vocabulary import Service

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Path] = {s.value: ROOT / "services" / s.value / "src" / s.value.replace("-", "_") for s in Service}
PACKAGES: dict[str, Path] = {
    "contracts": ROOT / "contracts/src/tuntas_contracts",
    "reference": ROOT / "reference/src/tuntas_reference",
    "chassis": ROOT / "chassis/src/tuntas_chassis",
    "operations": ROOT / "operations/src/tuntas_operations",
    "embedded": ROOT / "embedded/src/tuntas_embedded",
    "devstack": ROOT / "devstack/src/tuntas_devstack",
    "demo": ROOT / "demo/src/tuntas_demo",
    "tools": ROOT / "tools/src/tuntas_tools",
    **SERVICES,
}
_NOT_OURS = {"vendor", "__pycache__", ".venv", ".tools", "node_modules"}


def files(*folders: Path) -> Iterator[Path]:
    """Every Python file below these folders, sorted, but those that we only carry along."""
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*.py")) if not _NOT_OURS & set(path.relative_to(ROOT).parts))


def code(*folders: Path) -> Iterator[Path]:
    """`files` without migrations, which are written once and never again."""
    return (path for path in files(*folders) if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """What the file says."""
    return ast.parse(path.read_text("utf-8"), str(path))


def shown(path: Path, node: ast.AST | None = None) -> str:
    """A place as a reader finds it: path from the root, and line."""
    line = getattr(node, "lineno", None)
    return str(path.relative_to(ROOT)) + (f":{line}" if line else "")


def imported(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """The absolute name of every module imported anywhere in a file, with the statement."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    """Calls of a function, class or method of one of these names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            if name in names:
                yield node
