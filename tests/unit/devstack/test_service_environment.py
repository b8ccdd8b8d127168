"""Each service gets what the table gives it, and nothing of the caller's `TUNTAS_…` variables."""

from dataclasses import replace
from pathlib import Path

import pytest

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.service_environment import Place, Surroundings, service_environment
from tuntas_operations.credentials import Credentials

SURROUNDINGS = Surroundings(
    kafka="127.0.0.1:9092",
    databases={service: f"postgresql://{service}@127.0.0.1/x" for service in Service},
    issuer="http://127.0.0.1:8099",
    client_secrets={service: f"secret-{service}" for service in Service},
    encryption_key="key",
    access_code_pepper="pepper",
    name_keys="name-key",
    smtp_port=2525,
    intake_url="http://127.0.0.1:8001",
    simulated_clock=None,
    traces=Path("traces"),
    trace_ratio=0.5,
    log_level="info",
)


@pytest.mark.parametrize("service", list(Service))
def test_every_service_knows_its_own_database_and_address(service: Service) -> None:
    variables = service_environment(SURROUNDINGS, Place(service, f"{service}-2", 8123))
    assert variables["TUNTAS_DATABASE_URL"] == f"postgresql://{service}@127.0.0.1/x"
    assert (variables["TUNTAS_HTTP_HOST"], variables["TUNTAS_HTTP_PORT"]) == ("127.0.0.1", "8123")
    assert variables["TUNTAS_TRACE_FILE"].endswith(f"{service}-2.jsonl")
    assert "TUNTAS_SIMULATED_CLOCK" not in variables
    assert "TUNTAS_KAFKA_USERNAME" not in variables


@pytest.mark.parametrize("service", list(Service))
def test_every_service_has_its_own_user_at_a_secured_broker(service: Service) -> None:
    users = {service: Credentials(service.value, f"word-{service}") for service in Service}
    variables = service_environment(replace(SURROUNDINGS, kafka_users=users), Place(service, f"{service}-2", 8123))
    assert (variables["TUNTAS_KAFKA_USERNAME"], variables["TUNTAS_KAFKA_PASSWORD"]) == (service, f"word-{service}")


@pytest.mark.parametrize("service", list(Service))
def test_only_intake_has_the_keys_and_only_the_notifier_a_client_secret(service: Service) -> None:
    variables = service_environment(SURROUNDINGS, Place(service, service.value, 8123))
    assert ("TUNTAS_ENCRYPTION_KEY" in variables) == ("TUNTAS_ACCESS_CODE_PEPPER" in variables) == (service is Service.INTAKE)
    assert (variables.get("TUNTAS_NAME_KEYS") == "name-key") == (service in (Service.INTAKE, Service.TRIAGE, Service.DISPATCH))
    assert (variables.get("TUNTAS_CLIENT_SECRET") == "secret-notifier") == (service is Service.NOTIFIER)


def test_the_callers_own_variables_do_not_reach_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNTAS_DATABASE", "postgresql://admin@elsewhere/x")
    assert "TUNTAS_DATABASE" not in service_environment(SURROUNDINGS, Place(Service.INTAKE, "intake", 8123))
