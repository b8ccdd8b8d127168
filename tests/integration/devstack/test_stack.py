"""A whole stack with stand-ins in the place of the services: up, drilled, notified of deaths, down, and up again."""

import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import psutil
import pytest

from tests.integration.embedded.test_kafka_server import read_all, write
from tests.support.waiting import until_it_holds
from tuntas_chassis.clock import SimulatedClock
from tuntas_contracts.vocabulary import Role, Service
from tuntas_devstack.kafka.access import credentials_of
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import read_databases, read_state
from tuntas_embedded.issuer import mint_token
from tuntas_embedded.ports import free_port
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import FolderInUse, NotRunning, PartFailed, StackError
from tuntas_operations.kafka_clients import server_answers

STANDIN = (sys.executable, str(Path(__file__).with_name("standin_service.py")))
PARTS = ["kafka", "postgres", "mail", "issuer", "intake", "triage", "triage-2", "dispatch", "sla-monitor", "notifier"]


def options(**chosen: Any) -> StackOptions:
    defaults: dict[str, Any] = {
        "agencies": ("kemenkes", "kemenhub"),
        "commands": dict.fromkeys(Service, STANDIN),
        "replicas": {Service.TRIAGE: 2},
        "simulated_clock": True,
        "kafka": None,
        "database": None,
    }
    return StackOptions(**(defaults | chosen))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack") / ".tuntas"


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    stack = Stack(folder, options())
    stack.start()
    yield stack
    stack.stop()
    stack.delete_data()


def environment_of(stack: Stack, part: str) -> dict[str, str]:
    variables: dict[str, str] = json.loads((stack.folder.path / f"{part}.environment.json").read_text())
    return variables


def test_every_part_runs_and_says_so(stack: Stack) -> None:
    assert [part.name for part in stack.state.parts] == PARTS
    assert {part.name: part.health() for part in stack.state.parts} == dict.fromkeys(PARTS, "ready")
    assert read_state(stack.folder) == stack.state
    assert all(part.address.startswith("127.0.0.1:") for part in stack.state.parts)


def test_the_services_got_what_runs_here(stack: Stack) -> None:
    variables = environment_of(stack, "triage-2")
    assert variables["TUNTAS_KAFKA"] == stack.state.kafka
    assert variables["TUNTAS_DATABASE_URL"] == read_databases(stack.folder)["triage"]
    assert variables["TUNTAS_KAFKA_USERNAME"] == "triage"
    assert server_answers(stack.state.kafka, client=Credentials("triage", variables["TUNTAS_KAFKA_PASSWORD"]).librdkafka())
    assert f"http://127.0.0.1:{variables['TUNTAS_HTTP_PORT']}" == stack.state.url("triage-2")
    assert environment_of(stack, "notifier")["TUNTAS_INTAKE_URL"] == stack.state.url("intake")
    SimulatedClock(Path(variables["TUNTAS_SIMULATED_CLOCK"]))  # it exists and can be opened


def test_the_register_was_loaded_into_dispatchs_database(stack: Stack) -> None:
    variables = environment_of(stack, "load-register")
    assert variables["TUNTAS_DATABASE_URL"] == read_databases(stack.folder)["dispatch"]


def test_passwords_are_in_no_file_that_others_can_read(stack: Stack) -> None:
    secrets = set(json.loads((stack.folder.path / "secrets.json").read_text()).values())
    for file in stack.folder.path.iterdir():
        if file.is_file() and not file.name.endswith(".environment.json") and stat.S_IMODE(file.stat().st_mode) & 0o077:
            assert not [secret for secret in secrets if secret in file.read_text(errors="replace")], file


def test_tokens_minted_here_verify_with_the_issuers_keys(stack: Stack) -> None:
    token = mint_token(stack.signing_key(), sub="a", roles=[Role.OPERATOR])
    key = jwt.PyJWKClient(f"{stack.state.issuer}/jwks").get_signing_key_from_jwt(token)
    assert jwt.decode(token, key, ["ES256"], audience="tuntas", issuer=stack.state.issuer)["sub"] == "a"


def test_a_second_stack_in_the_folder_is_refused_and_harms_nothing(stack: Stack) -> None:
    with pytest.raises(FolderInUse, match=str(os.getpid())):
        Stack(stack.folder.path, options()).start()
    assert read_state(stack.folder).phase == "ready"


@pytest.mark.parametrize("part", ["kafka", "postgres", "mail", "issuer", "triage"])
def test_a_killed_part_is_seen_dead_and_comes_back_at_its_address(stack: Stack, part: str) -> None:
    before = stack.state.part(part)
    stack.kill(part)
    assert before.health() == "dead"
    stack.restart(part)
    after = stack.state.part(part)
    assert after.health() == "ready"
    assert (after.address, after.pid != before.pid) == (before.address, True)
    assert read_state(stack.folder).part(part) == after


def test_a_part_that_dies_unexpectedly_is_reported_once(stack: Stack) -> None:
    known = len(stack.deaths)
    pid = stack.state.part("sla-monitor").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until_it_holds(lambda: len(stack.deaths) > known, "word of the death")
    assert stack.deaths[known:] == [stack.deaths[-1]]
    assert stack.deaths[-1].startswith("sla-monitor was ended by SIGKILL")
    stack.restart("sla-monitor")


def test_data_ports_secrets_and_clock_survive_an_orderly_end(tmp_path: Path) -> None:
    chosen = options(services=(Service.INTAKE,), load_register=False)
    first = Stack(tmp_path / "stack", chosen)
    first.start()
    operator = first.kafka_client()
    write(first.state.kafka, "tuntas.agency-cases.kemenkes.v1", b"kept", client=operator)
    addresses = [part.address for part in first.state.parts]
    databases, key = read_databases(first.folder), first.signing_key().public_jwk()
    clock = first.folder.clock
    clock.write_bytes(b"\x01" * 8)
    pids = [part.pid for part in first.state.parts]
    first.stop()
    assert not [pid for pid in pids if pid is not None and psutil.pid_exists(pid)]
    with pytest.raises(NotRunning):
        read_state(first.folder)

    with Stack(tmp_path / "stack", chosen) as second:
        assert [part.address for part in second.state.parts] == addresses
        assert read_databases(second.folder) == databases
        assert second.signing_key().public_jwk() == key
        assert second.kafka_client() == operator
        assert read_all(second.state.kafka, "tuntas.agency-cases.kemenkes.v1", 1, client=operator) == [b"kept"]
        assert clock.read_bytes() == b"\x01" * 8
    second.delete_data()


def test_a_service_that_fails_ends_everything_with_its_reason(tmp_path: Path) -> None:
    broken = (sys.executable, "-c", "raise SystemExit('fatal: no migrations here')")
    stack = Stack(tmp_path / "stack", options(commands=dict.fromkeys(Service, STANDIN) | {Service.DISPATCH: broken}))
    with pytest.raises(PartFailed, match=r"dispatch ended with exit code 1 before it was ready: fatal: no migrations"):
        stack.start()
    assert stack.folder.holder() is None
    ours = [p for p in psutil.Process().children(recursive=True) if str(stack.folder.path) in " ".join(p.cmdline())]
    assert ours == []
    stack.delete_data()


def test_servers_that_run_already_are_used(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = credentials_of(stack.folder)
    assert operator is not None
    monkeypatch.setenv("TUNTAS_KAFKA_USERNAME", operator.username)
    monkeypatch.setenv("TUNTAS_KAFKA_PASSWORD", operator.password)
    chosen = options(
        kafka=stack.state.kafka,
        database=read_databases(stack.folder)["admin"],
        services=(Service.INTAKE,),
        load_register=False,
        agencies=("baru",),
    )
    with Stack(tmp_path / "other", chosen) as other:
        assert [part.name for part in other.state.parts if part.pid is None] == ["kafka", "postgres"]
        assert all(part.health() == "ready" for part in other.state.parts)
        write(stack.state.kafka, "tuntas.agency-cases.baru.v1", b"x", client=other.kafka_client())
        variables = environment_of(other, "intake")
        assert variables["TUNTAS_DATABASE_URL"].split("@")[1].startswith(stack.state.part("postgres").address)
        assert (variables["TUNTAS_KAFKA_USERNAME"], variables["TUNTAS_KAFKA_PASSWORD"]) == (operator.username, operator.password)
        assert other.agency_client("baru") == operator  # users there are made by whoever runs it


def test_a_kafka_that_does_not_let_us_in_is_said(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuntas_devstack.infrastructure._EXTERNAL_WITHIN_S", 1.0)
    monkeypatch.setenv("TUNTAS_KAFKA_USERNAME", "operator")
    chosen = options(kafka=stack.state.kafka, services=())
    with pytest.raises(StackError, match="TUNTAS_KAFKA_USERNAME and TUNTAS_KAFKA_PASSWORD go together"):
        Stack(tmp_path / "stack", chosen).start()
    monkeypatch.setenv("TUNTAS_KAFKA_PASSWORD", "a guess")
    other = Stack(tmp_path / "stack", chosen)
    with pytest.raises(StackError, match=rf"no Kafka broker answers at {stack.state.kafka} that lets operator in"):
        other.start()
    other.delete_data()


def test_a_kafka_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuntas_devstack.infrastructure._EXTERNAL_WITHIN_S", 1.0)
    nowhere = f"127.0.0.1:{free_port()}"
    stack = Stack(tmp_path / "stack", options(kafka=nowhere, services=()))
    with pytest.raises(StackError, match=f"no Kafka broker answers at {nowhere}"):
        stack.start()
    stack.delete_data()
