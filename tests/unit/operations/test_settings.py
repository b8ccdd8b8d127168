"""Which installation the operators' commands work on, and what they say of settings that can't be used."""

from pathlib import Path

import pytest

from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import NotRunning
from tuntas_operations.installation import NotSet, find_installation, of_settings
from tuntas_operations.settings import OperatorSettings, UnusableSettings, help_text, load_operator_settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours, and no stack where we are."""
    import os

    for name in [name for name in os.environ if name.startswith("TUNTAS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_variables_are_named_as_the_services_have_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    options = {
        "KAFKA": "one:9093,two:9093",
        "KAFKA_USERNAME": "operator",
        "KAFKA_PASSWORD": "hidden",
        "KAFKA_TLS": "true",
        "KAFKA_CA_FILE": str(authority),
        "DATABASE_URL_SLA_MONITOR": "postgresql://sla:hidden@db/sla_monitor",
        "URL_SLA_MONITOR": "https://sla.example/",
    }
    for name, value in options.items():
        monkeypatch.setenv(f"TUNTAS_{name}", value)
    installation = find_installation(None)
    assert installation.name == "the cluster at one:9093,two:9093"
    assert installation.kafka_client == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "operator",
        "sasl.password": "hidden",
        "ssl.ca.location": str(authority),
    }
    assert installation.needs_database(Service.SLA_MONITOR).endswith("@db/sla_monitor")
    assert installation.needs_url(Service.SLA_MONITOR) == "https://sla.example"
    assert "hidden" not in repr(installation)
    assert all(f"TUNTAS_{name}" in help_text() for name in options)


def test_a_folder_wins_over_the_environment_and_nothing_is_mixed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUNTAS_KAFKA", "kafka:9092")
    with pytest.raises(NotRunning, match="no stack runs in"):
        find_installation(tmp_path / "stack")


def test_without_a_stack_and_settings_the_error_says_how_to_name_a_cluster() -> None:
    with pytest.raises(NotRunning, match="for a cluster set TUNTAS_KAFKA"):
        find_installation(None)


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"KAFKA": "kafka"}, "TUNTAS_KAFKA: 'kafka' is no address; write host:port"),
        ({"KAFKA_USERNAME": "x"}, "TUNTAS_KAFKA_USERNAME and TUNTAS_KAFKA_PASSWORD go together"),
        ({"CLIENT_ID": "x"}, "TUNTAS_CLIENT_ID and TUNTAS_CLIENT_SECRET go together"),
        ({"DATABASE_URL_INTAKE": "postgresql://db"}, "TUNTAS_DATABASE_URL_INTAKE: is no address of a database"),
        ({"URL_INTAKE": "intake:8080"}, "TUNTAS_URL_INTAKE: 'intake:8080' is no address"),
        ({"KAFKA_CA_FILE": "nowhere.pem"}, "TUNTAS_KAFKA_CA_FILE: there is no file nowhere.pem"),
        ({"SMTP_PORT": "70000"}, "TUNTAS_SMTP_PORT: "),
    ],
)
def test_a_setting_that_can_t_be_used_is_named(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], fault: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"TUNTAS_{name}", value)
    with pytest.raises(UnusableSettings) as refused:
        load_operator_settings()
    [message] = refused.value.faults
    assert fault in message


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNTAS_KAFKA_TLS", "")
    monkeypatch.setenv("TUNTAS_OTLP_ENDPOINT", "")
    assert (load_operator_settings().kafka_tls, load_operator_settings().otlp_endpoint) == (False, None)


def test_a_setting_that_a_command_needs_is_named_when_not_set() -> None:
    installation = of_settings(OperatorSettings())
    with pytest.raises(NotSet, match="set TUNTAS_KAFKA"):
        installation.needs_kafka()
    with pytest.raises(NotSet, match="set TUNTAS_DATABASE_URL_SLA_MONITOR"):
        installation.needs_database(Service.SLA_MONITOR)
    with pytest.raises(NotSet, match="set TUNTAS_URL_INTAKE"):
        installation.needs_url(Service.INTAKE)
