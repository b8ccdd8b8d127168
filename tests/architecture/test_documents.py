"""Documents keep up with the code: every dependency has its reason, every variable exists."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, SERVICES, files
from tuntas_chassis.settings import ServiceSettings
from tuntas_devstack.service_environment import EVERY_SERVICE, OF_ONE_SERVICE
from tuntas_operations.settings import OperatorSettings, variable

PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("*/pyproject.toml")), *sorted(ROOT.glob("services/*/pyproject.toml"))]
FOR_OPERATORS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "Dockerfile", "docker-compose.yml")),
    *sorted((ROOT / "docs").rglob("*.*")),
    *sorted((ROOT / "deploy").rglob("*.*")),
]
VARIABLE = re.compile(r"\bTUNTAS_[A-Z0-9_]*[A-Z0-9]\b")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name)[0]).lower()


def _dependencies() -> dict[str, Path]:
    """Every package from outside that some `pyproject.toml` asks for, and which."""
    found: dict[str, Path] = {}
    for path in PROJECTS:
        file = tomllib.loads(path.read_text("utf-8"))
        asked = [
            *file["project"].get("dependencies", []),
            *(d for group in file.get("dependency-groups", {}).values() for d in group),
        ]
        found |= {_normal(name): path for name in asked if not _normal(name).startswith("tuntas-")}
    return found


def _documented() -> set[str]:
    """The packages named in the first column of docs/dependencies.md."""
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.MULTILINE)
    return {_normal(name) for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_dependency_says_why_it_and_not_another() -> None:
    assert {name: str(path.relative_to(ROOT)) for name, path in _dependencies().items() if name not in _documented()} == {}


def test_what_is_imported_is_asked_for_where_it_is_used() -> None:
    assert _documented() >= {"aiokafka", "sqlalchemy", "pytest", "ruff"}


def _settings() -> dict[str, type[ServiceSettings]]:
    return {service: import_module(f"{package.name}.settings").Settings for service, package in SERVICES.items()}


def _variables(kind: type[ServiceSettings]) -> set[str]:
    return {f"TUNTAS_{name.upper()}" for name in kind.model_fields}


def _of_the_local_stack() -> set[str]:
    """What the CLI itself reads: options' variables, and programs that it looks for."""
    local_stack = files(PACKAGES["devstack"], PACKAGES["embedded"])
    text = "\n".join(path.read_text("utf-8") for path in local_stack if path.name != "service_environment.py")
    return set(VARIABLE.findall(text))


def _of_operators() -> set[str]:
    """What names a cluster to `tuntas ops`."""
    return {variable(name) for name in OperatorSettings.model_fields}


def test_every_variable_that_documents_and_manifests_name_exists() -> None:
    known = _of_the_local_stack().union(_of_operators(), *map(_variables, _settings().values()))
    named = {
        (name, str(path.relative_to(ROOT)))
        for path in FOR_OPERATORS
        if path.is_file() and path.suffix not in {".svg", ".png"}
        for name in VARIABLE.findall(path.read_text("utf-8"))
    }
    assert sorted((name, where) for name, where in named if name not in known) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_local_stack_gives_a_service_only_variables_that_it_reads(service: str) -> None:
    given = EVERY_SERVICE.keys() | {name for owner, table in OF_ONE_SERVICE.items() if owner == service for name in table}
    assert given <= _variables(_settings()[service])


@pytest.mark.parametrize("service", SERVICES)
def test_no_setting_of_a_service_hides_one_of_the_chassis(service: str) -> None:
    own = _settings()[service].__annotations__
    assert not set(own) & set(ServiceSettings.model_fields)
