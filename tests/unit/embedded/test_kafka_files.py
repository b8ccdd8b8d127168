"""The jars are the listed ones or none; a Java is new enough or refused; the settings fit the machine."""

import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuntas_embedded.kafka import jars
from tuntas_embedded.kafka.java import find_java
from tuntas_embedded.kafka.settings import server_properties
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import DiskFull, FetchFailed, MissingProgram

CONTENT = {f"part-{number}": os.urandom(64) for number in range(6)}


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Sequence[jars.Jar]:
    """A short list in the place of Kafka's, so that no network is needed."""
    some = [jars.Jar("org.test", name, "1", hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items()]
    monkeypatch.setattr(jars, "listed_jars", lambda: some)
    return some


class Repository:
    """A Maven repository in memory: counts what was fetched, and fails as configured."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.faulty: dict[str, Exception | bytes] = {}

    def fetch(self, jar: jars.Jar, scratch: Path) -> Path:
        self.fetched.append(jar.artifact)
        fault = self.faulty.get(jar.artifact)
        if isinstance(fault, Exception):
            raise fault
        file = scratch / "fetched"
        file.write_bytes(fault or CONTENT[jar.artifact])
        return file


def test_the_committed_list_names_each_file_once_with_a_sha256() -> None:
    found = jars.listed_jars()
    assert len({jar.file_name for jar in found}) == len(found) == 46
    assert all(len(jar.sha256) == 64 and int(jar.sha256, 16) for jar in found)
    assert any(jar.file_name == f"kafka_2.13-{jars.KAFKA_VERSION}.jar" for jar in found)


def test_files_are_fetched_once_and_then_come_from_the_cache(listed: Sequence[jars.Jar], tmp_path: Path) -> None:
    repository, announced = Repository(), list[int]()
    first = jars.class_path(tmp_path, fetch=repository.fetch, on_fetch=announced.append)
    again = jars.class_path(tmp_path, fetch=repository.fetch, on_fetch=announced.append)
    assert first == again
    assert [Path(path).read_bytes() for path in first.split(":")] == list(CONTENT.values())
    assert sorted(repository.fetched) == sorted(CONTENT)
    assert announced == [len(CONTENT)]


def test_a_corrupt_file_is_fetched_again_and_nothing_else(listed: Sequence[jars.Jar], tmp_path: Path) -> None:
    path = jars.class_path(tmp_path, fetch=Repository().fetch)
    spoiled = Path(path.split(":")[2])
    spoiled.write_bytes(b"half of it")
    repository = Repository()
    jars.class_path(tmp_path, fetch=repository.fetch)
    assert repository.fetched == ["part-2"]
    assert spoiled.read_bytes() == CONTENT["part-2"]


def test_a_file_with_another_sha256_is_never_used(listed: Sequence[jars.Jar], tmp_path: Path) -> None:
    repository = Repository()
    repository.faulty["part-3"] = b"not what was listed"
    with pytest.raises(FetchFailed, match=r"part-3-1\.jar .* another SHA-256"):
        jars.class_path(tmp_path, fetch=repository.fetch)
    assert not list(tmp_path.rglob("part-3*"))


def test_no_network_is_one_sentence_that_says_what_to_do(listed: Sequence[jars.Jar], tmp_path: Path) -> None:
    repository = Repository()
    repository.faulty["part-0"] = jars.RepositoryUnreachable("name resolution")
    with pytest.raises(FetchFailed) as refusal:
        jars.class_path(tmp_path, fetch=repository.fetch)
    assert "can't be reached" in str(refusal.value)
    assert "TUNTAS_KAFKA" in str(refusal.value)


def test_a_passing_fault_of_the_network_is_tried_again(listed: Sequence[jars.Jar], tmp_path: Path) -> None:
    repository = Repository()
    faults = [jars.RepositoryUnreachable("slow")]

    def fetch(jar: jars.Jar, scratch: Path) -> Path:
        if jar.artifact == "part-1" and faults:
            raise faults.pop()
        return repository.fetch(jar, scratch)

    assert len(jars.class_path(tmp_path, fetch=fetch).split(":")) == len(CONTENT)


def test_a_full_disk_is_said(listed: Sequence[jars.Jar], tmp_path: Path) -> None:
    repository = Repository()
    repository.faulty["part-5"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DiskFull, match="no room"):
        jars.class_path(tmp_path, fetch=repository.fetch)


def java_of(folder: Path, version: str) -> Path:
    """A program that says it is a Java of this version."""
    program = folder / f"java-{version}"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    program.chmod(0o755)
    return program


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    old, new = java_of(tmp_path, "11.0.2"), java_of(tmp_path, "21.0.1")
    assert find_java([tmp_path / "none", old, new]).program == new


def test_without_any_java_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match="Java 17 or newer"):
        find_java([java_of(tmp_path, "1.8.0_402")])


def test_the_broker_listens_on_loopback_only_and_creates_no_topic_automatically(tmp_path: Path) -> None:
    lines = dict(line.split("=", 1) for line in server_properties(tmp_path, 19092, 19093).splitlines())
    assert all(address.split("://")[1].startswith("127.0.0.1:") for address in lines["listeners"].split(","))
    assert lines["auto.create.topics.enable"] == "false"
    assert "log.message.timestamp.type" not in lines  # topics decide


def test_a_broker_with_an_operator_admits_no_client_without_a_password(tmp_path: Path) -> None:
    text = server_properties(tmp_path, 19092, 19093, Credentials("operator", "word"))
    lines = dict(line.split("=", 1) for line in text.splitlines())
    assert set(lines["listener.security.protocol.map"].split(",")) == {"CLIENTS:SASL_PLAINTEXT", "CONTROLLER:SASL_PLAINTEXT"}
    assert lines["allow.everyone.if.no.acl.found"] == "false"
    assert lines["super.users"] == "User:operator"
    assert lines["listener.name.clients.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
