"""Files are short, each with one subject; what others may use says what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.architecture.sources import PACKAGES, ROOT, code, files, shown, tree

OURS = [*PACKAGES.values(), ROOT / "deploy", ROOT / "docs"]


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_has_400_lines() -> None:
    long = {shown(path): _lines(path) for path in files(*OURS, ROOT / "tests") if _lines(path) >= 400}
    assert long == {}, "a longer one has two subjects"


def test_the_median_file_has_fewer_than_100_lines() -> None:
    sizes = [_lines(path) for path in code(*OURS) if _lines(path)]
    assert median(sizes) < 100, f"it has {median(sizes)}, of {len(sizes)} files"


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "tools"}
    assert [shown(path) for path in files(*OURS, ROOT / "tests") if vague & set(path.stem.split("_"))] == []


def _undocumented(path: Path) -> Iterator[str]:
    module = tree(path)
    if module.body and ast.get_docstring(module) is None:
        yield shown(path)
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield f"{shown(path, node)} {node.name}"
            if isinstance(node, ast.ClassDef) and not _is_protocol_of_bare_names(node):
                yield from _undocumented_methods(path, node)


def _is_protocol_of_bare_names(kind: ast.ClassDef) -> bool:
    """Whether it only names what it asks of others: its own docstring says it all."""
    bodies = [node.body for node in kind.body if isinstance(node, ast.FunctionDef)]
    return [ast.unparse(base) for base in kind.bases] == ["Protocol"] and all(ast.unparse(body[0]) == "..." for body in bodies)


def _undocumented_methods(path: Path, kind: ast.ClassDef) -> Iterator[str]:
    for node in kind.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield f"{shown(path, node)} {kind.name}.{node.name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_public_says_what_it_is(package: str) -> None:
    assert [fault for path in code(PACKAGES[package]) for fault in _undocumented(path)] == []
