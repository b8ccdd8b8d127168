"""docs/architecture.md shows the chassis' interface as it is in the code."""

import ast
import copy
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
_SECTION = re.compile(r"^## The chassis, as services see it\n.*?```python\n(?P<code>.*?)```", re.DOTALL | re.MULTILINE)
_MODULE = re.compile(r"^# (tuntas_chassis[.\w]+)$", re.MULTILINE)
Node = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def shown() -> Iterator[tuple[str, Node]]:
    """(module, class or function) as the page shows them."""
    section = _SECTION.search(_PAGE.read_text(encoding="utf-8"))
    assert section is not None, "the page has lost its section on the chassis"
    _, *parts = _MODULE.split(section["code"])
    for module, code in zip(parts[::2], parts[1::2], strict=True):
        for node in ast.parse(code).body:
            assert isinstance(node, Node), f"line {node.lineno} below {module} is neither a class nor a function"
            yield module, node


def parameters(function: object) -> list[tuple[str, str, bool]]:
    """(name, kind, whether it has a default) of each parameter."""
    signature = inspect.signature(function)  # type: ignore[arg-type]  # found by name
    return [(p.name, p.kind.name, p.default is not inspect.Parameter.empty) for p in signature.parameters.values()]


def as_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> object:
    """A function with the parameters of a stub."""
    bare = copy.deepcopy(node)
    bare.returns = None
    for argument in ast.walk(bare.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    bare.args.defaults = [ast.Constant(None) for _ in bare.args.defaults]
    bare.args.kw_defaults = [None if default is None else ast.Constant(None) for default in bare.args.kw_defaults]
    made: dict[str, object] = {}
    exec(compile(ast.fix_missing_locations(ast.Module([bare], [])), str(_PAGE), "exec"), made)
    return made[node.name]


@pytest.mark.parametrize(("module", "node"), [pytest.param(m, n, id=f"{m}.{n.name}") for m, n in shown()])
def test_the_chassis_is_as_the_page_shows_it(module: str, node: Node) -> None:
    real = getattr(importlib.import_module(module), node.name)
    if not isinstance(node, ast.ClassDef):
        assert parameters(as_function(node)) == parameters(real)
        return
    attributes = {n.target.id: n.value is not None for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    if isinstance(real, type) and is_dataclass(real):
        signature = inspect.signature(real).parameters
        assert [(f.name, signature[f.name].default is not inspect.Parameter.empty) for f in fields(real)] == list(attributes.items())
    elif issubclass(real, tuple):
        assert [(name, name in real._field_defaults) for name in real._fields] == list(attributes.items())
    else:
        source = inspect.getsource(real)
        assert [name for name in attributes if f"self.{name}" not in source] == []
    for method in node.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            found = getattr(real, method.name)
            assert parameters(as_function(method)) == parameters(found), f"{node.name}.{method.name}"
            assert inspect.iscoroutinefunction(found) == isinstance(method, ast.AsyncFunctionDef), f"{node.name}.{method.name}"
