"""Metrics are declared in one list each; code uses what is declared, with its labels, and all of it."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.sources import PACKAGES, SERVICES, calls, code, shown
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, Metric

NAME = "tuntas_"
VALUE_FIRST = {"inc": 0, "set": 1, "observe": 1}
"""How many arguments are between a metric's name and its labels."""


def _uses(package: Path) -> Iterator[tuple[str, ast.Call, Path]]:
    """Every use of a metric: its name, the call and the file. Other things' `set` and `inc` are skipped."""
    for path in code(package):
        module = import_module(".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__main__"))
        for call in calls(path, *VALUE_FIRST):
            if call.args and (name := _name(call.args[0], module)) is not None and isinstance(call.func, ast.Attribute):
                yield name, call, path


def _name(given: ast.expr, module: ModuleType) -> str | None:
    value = given.value if isinstance(given, ast.Constant) else getattr(module, given.id, None) if isinstance(given, ast.Name) else None
    return value if isinstance(value, str) and value.startswith(NAME) else None


def _declared(place: str) -> dict[str, Metric]:
    if place == "chassis":
        return {metric.name: metric for metric in CHASSIS_METRICS}
    return {metric.name: metric for metric in import_module(f"{SERVICES[place].name}.metrics").METRICS}


@pytest.mark.parametrize("place", ["chassis", *SERVICES])
def test_what_is_used_is_declared_and_what_is_declared_is_used(place: str) -> None:
    declared = _declared(place)
    used = {name: shown(path, call) for name, call, path in _uses(PACKAGES[place])}
    assert {name: where for name, where in used.items() if name not in declared} == {}
    assert declared.keys() - used.keys() == set(), "declared, documented, perhaps in an alert, and never set"


@pytest.mark.parametrize("place", ["chassis", *SERVICES])
def test_each_use_fits_the_kind_and_gives_as_many_labels_as_are_declared(place: str) -> None:
    declared = _declared(place)
    for name, call, path in _uses(PACKAGES[place]):
        assert isinstance(call.func, ast.Attribute)
        metric, method = declared[name], call.func.attr
        assert method in {"counter": {"inc"}, "gauge": {"inc", "set"}, "histogram": {"observe"}}[metric.kind], shown(path, call)
        labels = call.args[1 + VALUE_FIRST[method] :]
        if not any(isinstance(label, ast.Starred) for label in labels):
            assert len(labels) == len(metric.labels), f"{shown(path, call)}: {name} has the labels {metric.labels}"
