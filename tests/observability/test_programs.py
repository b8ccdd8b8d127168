"""Prometheus's programs are found where they are, and brought once where they are not."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tuntas_embedded.prometheus.programs import find_program
from tuntas_operations.errors import MissingProgram

NOWHERE = {"PATH": "/nonexistent"}


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\necho started\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def unpack(target: Path) -> None:
    for name in ("prometheus", "promtool"):
        put(target / "usr" / "bin", name)


def refuse(target: Path) -> None:
    raise AssertionError("nothing need be fetched")


def test_the_machines_own_program_is_taken(tmp_path: Path) -> None:
    own = put(tmp_path / "bin", "promtool")
    assert find_program("promtool", {"PATH": str(own.parent)}, tools=tmp_path / "tools", unpack=refuse) == own


def test_what_was_unpacked_once_is_taken_again(tmp_path: Path) -> None:
    tools = tmp_path / "tools" / "prometheus"
    first = find_program("prometheus", NOWHERE, tools=tools, unpack=unpack)
    assert first == tools / "usr" / "bin" / "prometheus"
    assert find_program("prometheus", NOWHERE, tools=tools, unpack=refuse) == first
    assert find_program("promtool", NOWHERE, tools=tools, unpack=refuse).parent == first.parent


def test_two_that_fetch_at_once_get_one_whole_folder(tmp_path: Path) -> None:
    tools, both_are_at_it = tmp_path / "tools" / "prometheus", Barrier(2, timeout=30)

    def slowly(target: Path) -> None:
        unpack(target)
        both_are_at_it.wait()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda name: find_program(name, NOWHERE, tools=tools, unpack=slowly), ("prometheus", "promtool")))
    assert all(os.access(program, os.X_OK) for program in found)
    assert [path.name for path in tools.parent.iterdir()] == ["prometheus"], "nothing half unpacked is left"


def test_a_fetch_that_fails_leaves_nothing_and_says_what_to_install(tmp_path: Path) -> None:
    tools = tmp_path / "tools" / "prometheus"

    def fail(target: Path) -> None:
        put(target, "half")
        raise MissingProgram("no network")

    with pytest.raises(MissingProgram, match="no network"):
        find_program("prometheus", NOWHERE, tools=tools, unpack=fail)
    assert list(tools.parent.iterdir()) == []


def test_where_it_can_be_had_in_no_way_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", NOWHERE["PATH"])
    with pytest.raises(MissingProgram) as refused:
        find_program("promtool", NOWHERE, tools=tmp_path / "prometheus")
    assert "apt-get install prometheus" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_package_without_the_program_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match="holds no program promtool"):
        find_program("promtool", NOWHERE, tools=tmp_path / "prometheus", unpack=lambda target: None)
