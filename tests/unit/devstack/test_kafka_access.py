"""Whose credentials a client gets: of a stack's own users, of the one user that we were given, or none."""

from pathlib import Path

import pytest

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.kafka.access import aiokafka_settings, client_settings, given_credentials, read_users, users_of_services, write_users
from tuntas_embedded.folder import StackFolder
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import NotRunning, StackError

USERS = {name: Credentials(name, f"word-{name}") for name in ("operator", *(service.value for service in Service), "scaler")}


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    folder = StackFolder(tmp_path / "stack")
    folder.make()
    return folder


def test_what_was_kept_is_found_by_name_and_for_the_owner_only(folder: StackFolder) -> None:
    write_users(folder, USERS)
    assert read_users(folder) == USERS
    assert [path.stat().st_mode & 0o077 for path in folder.path.iterdir() if path.is_file()] == [0]
    assert client_settings(folder)["sasl.username"] == "operator"
    assert client_settings(folder, "triage")["sasl.password"] == "word-triage"
    assert aiokafka_settings(folder, "scaler")["sasl_plain_username"] == "scaler"
    assert users_of_services(folder) == {service: USERS[service.value] for service in Service}


def test_a_client_of_an_unsecured_broker_needs_nothing(folder: StackFolder) -> None:
    write_users(folder, {})
    assert (client_settings(folder), aiokafka_settings(folder, "triage"), users_of_services(folder)) == ({}, {}, {})


def test_a_user_that_is_not_there_is_said(folder: StackFolder) -> None:
    with pytest.raises(NotRunning, match="was it started"):
        client_settings(folder)
    write_users(folder, USERS)
    with pytest.raises(StackError, match=r"no user 'agency\.kemenkes'"):
        client_settings(folder, "agency.kemenkes")


def test_a_password_is_not_shown_with_its_user() -> None:
    assert "word" not in repr(USERS["intake"])


def test_a_broker_that_runs_elsewhere_is_entered_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"TUNTAS_KAFKA_{name}", raising=False)
    assert given_credentials() is None
    monkeypatch.setenv("TUNTAS_KAFKA_PASSWORD", "word")
    with pytest.raises(StackError, match="set both or neither"):
        given_credentials()
    monkeypatch.setenv("TUNTAS_KAFKA_USERNAME", "tuntas")
    assert given_credentials() == Credentials("tuntas", "word")
