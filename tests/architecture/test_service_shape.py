"""The five services are alike: who knows one finds everything in the others."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, SERVICES, shown, tree
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.metrics import Metric

each_service = pytest.mark.parametrize(("service", "package"), SERVICES.items(), ids=list(SERVICES))
INSIDE = (
    "adapters/tables.py",
    "adapters/store.py",
    "application/handlers.py",
    "domain/__init__.py",
    "entrypoints/routes.py",
    "entrypoints/schemas.py",
    "entrypoints/subscriptions.py",
    "migrations/env.py",
    "migrations/versions/0001_*.py",
)


def _listed_in_the_documentation() -> list[str]:
    """The file list of docs/architecture.md."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = text.split("## A service's files")[1].split("\n## ")[0]
    return [name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]


def test_the_documentation_lists_the_files_of_a_service() -> None:
    assert {"__main__.py", "app.py", "settings.py", "domain/", "application/", "entrypoints/", "adapters/", "metrics.py"} <= set(
        _listed_in_the_documentation()
    )


@each_service
def test_it_has_the_files_that_the_documentation_lists(service: str, package: Path) -> None:
    missing = [name for name in (*_listed_in_the_documentation(), *INSIDE) if not list(package.glob(name.rstrip("/")))]
    assert missing == [], f"{service} lacks {missing} in {shown(package)}"


@each_service
def test_main_starts_it_and_decides_nothing(service: str, package: Path) -> None:
    body = tree(package / "__main__.py").body
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.If)
    assert all(isinstance(node, allowed) for node in body), f"{shown(package / '__main__.py')} defines something"
    text = (package / "__main__.py").read_text("utf-8")
    assert re.search(r"^ *run\(build, Settings", text, re.MULTILINE)
    assert len(text.splitlines()) < 20


@each_service
def test_the_wiring_is_one_page(service: str, package: Path) -> None:
    assert len((package / "app.py").read_text("utf-8").splitlines()) < 100
    build = next(node for node in tree(package / "app.py").body if isinstance(node, ast.FunctionDef) and node.name == "build")
    assert [a.arg for a in build.args.args] == ["settings"]
    assert ast.unparse(build.returns or ast.Constant(None)) == "ServiceApp"


@each_service
def test_settings_and_metrics_are_where_the_house_looks_for_them(service: str, package: Path) -> None:
    assert issubclass(import_module(f"{package.name}.settings").Settings, ServiceSettings)
    declared = import_module(f"{package.name}.metrics").METRICS
    assert declared
    assert all(isinstance(metric, Metric) for metric in declared)


@each_service
def test_the_environment_of_migrations_is_one_line_to_the_chassis(service: str, package: Path) -> None:
    statements = [ast.unparse(node) for node in tree(package / "migrations/env.py").body if isinstance(node, ast.Expr)]
    assert statements[-1] == "run_env(METADATA)"
    assert len(statements) <= 2, "a docstring and the call"


@each_service
def test_only_the_wiring_makes_the_service(service: str, package: Path) -> None:
    makers = [path.name for path in package.rglob("*.py") if "ServiceApp(" in path.read_text("utf-8")]
    assert makers == ["app.py"]
