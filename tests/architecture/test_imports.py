"""Imports run one way, the domain is pure, and contracts need nothing of ours."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter import cli

from tests.architecture.sources import PACKAGES, ROOT, SERVICES, calls, files, imported, shown

PURE_LIBRARIES = {"phonenumbers": "tables of the world's number plans: no input or output, no state"}
NOT_PURE = {
    "asyncio",
    "http",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
    "urllib",
}
DOMAINS = [path for package in SERVICES.values() for path in files(package / "domain")]
USE_CASES = "Use cases know no HTTP, no SQL and no Kafka client"
VIOLATIONS = {
    "Imports run one way, from tools and demo down to contracts; a service never imports another": (
        "services/triage/src/triage/settings.py",
        "import dispatch.settings",
    ),
    "Inside the chassis: service → http → messaging → persistence → telemetry → settings": (
        "chassis/src/tuntas_chassis/persistence/probe.py",
        "import tuntas_chassis.messaging.relay",
    ),
    "Inside a service: entrypoints → adapters → application → domain": (
        "services/triage/src/triage/application/handlers.py",
        "import triage.adapters.store",
    ),
    "Contracts and reference depend on pydantic only": ("contracts/src/tuntas_contracts/base.py", "import httpx"),
    "The domain is pure: no framework, no SQL, no HTTP, no chassis": (
        "services/notifier/src/notifier/domain/rate.py",
        "import tuntas_chassis.clock",
    ),
    USE_CASES: ("services/intake/src/intake/application/status.py", "import tuntas_chassis.http.problems"),
    "The broker and database in memory are for tests: nothing that runs imports them": (
        "services/notifier/src/notifier/app.py",
        "import tuntas_chassis.messaging.memory.service",
    ),
}
"""For each contract an import that breaks it, and where."""
NOT_IN_USE_CASES = {
    "intake": ("fastapi", "httpx"),
    "triage": ("starlette",),
    "dispatch": ("sqlalchemy",),
    "sla_monitor": ("asyncpg", "aiokafka"),
    "notifier": ("faststream",),
}
"""Further imports that break the contract of use cases: every service and every library once."""


def test_the_contracts_of_import_linter_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_a_violation_of_each_contract_of_import_linter_is_found(tmp_path: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert VIOLATIONS.keys() == {contract["name"] for contract in settings["contracts"]}
    for package in PACKAGES.values():
        shutil.copytree(package.parent, tmp_path / package.parent.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__"))
    libraries = [(service, library) for service, found in NOT_IN_USE_CASES.items() for library in found]
    handlers = {package.name: str(package.relative_to(ROOT) / "application/handlers.py") for package in SERVICES.values()}
    imports = [(handlers[service], f"import {library}") for service, library in libraries]
    for file, statement in [*VIOLATIONS.values(), *imports]:
        path = tmp_path / file
        path.write_text(f"{path.read_text('utf-8')}\n\n{statement}\n", "utf-8")
    roots = [str(tmp_path / package.parent.relative_to(ROOT)) for package in PACKAGES.values()]
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache", "--config"]
    run = subprocess.run(
        [*command, str(ROOT / "pyproject.toml")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    output = " ".join(run.stdout.split())
    assert [name for name in VIOLATIONS if f"{name} BROKEN" not in output] == [], run.stdout
    unseen = [(service, library) for service, library in libraries if f"{service}.application.handlers -> {library}" not in output]
    assert unseen == [], run.stdout
    [contract] = [contract for contract in settings["contracts"] if contract["name"] == USE_CASES]
    assert {library for _, library in libraries} | {"tuntas_chassis.http"} == set(contract["forbidden_modules"])


@pytest.mark.parametrize("path", DOMAINS, ids=shown)
def test_a_domain_imports_only_python_contracts_reference_and_itself(path: Path) -> None:
    service = path.relative_to(ROOT).parts[3]
    own = (f"{service}.domain", "tuntas_contracts", "tuntas_reference")
    for name, statement in imported(path):
        top = name.split(".")[0]
        allowed = name.startswith(own) or top in PURE_LIBRARIES or (top in sys.stdlib_module_names and top not in NOT_PURE)
        assert allowed, f"{shown(path, statement)} imports {name}: a domain has no framework, no SQL, no input and no output"


@pytest.mark.parametrize("path", DOMAINS, ids=shown)
def test_a_domain_has_no_clock_and_opens_nothing(path: Path) -> None:
    found = [shown(path, call) for call in calls(path, "now", "utcnow", "today", "open", "print")]
    assert found == [], "times are given to a domain, and what it reads too"


def test_contracts_and_reference_need_pydantic_only() -> None:
    outside = {
        name.split(".")[0]
        for path in files(PACKAGES["contracts"], PACKAGES["reference"])
        for name, _ in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert outside == {"pydantic", "tuntas_contracts", "tuntas_reference"}


def test_nothing_is_imported_relatively_or_as_a_whole() -> None:
    faults = [
        shown(path, node)
        for path in files(*PACKAGES.values(), ROOT / "tests")
        for name, node in imported(path)
        if name.startswith(".") or (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")
    ]
    assert faults == []


def test_every_pure_library_is_still_needed() -> None:
    used = {name.split(".")[0] for path in DOMAINS for name, _ in imported(path)}
    assert used >= PURE_LIBRARIES.keys()
