"""The one table that says which service gets which environment variable."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tuntas_contracts.vocabulary import Service
from tuntas_embedded.issuer import AUDIENCE
from tuntas_embedded.ports import LOOPBACK
from tuntas_operations.credentials import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the services of one stack find around them, each by service where it is not the same for all.

    `kafka_users` is empty where the broker is not secured.
    """

    kafka: str
    databases: Mapping[Service, str]
    issuer: str
    client_secrets: Mapping[Service, str]
    encryption_key: str
    access_code_pepper: str
    name_keys: str
    smtp_port: int
    intake_url: str
    simulated_clock: Path | None
    traces: Path
    trace_ratio: float
    log_level: str
    kafka_users: Mapping[Service, Credentials] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """One process of a service: the part's name and its loopback port."""

    service: Service
    part: str
    port: int


Value = Callable[[Surroundings, Place], str | None]
"""A variable's value; None leaves the variable out."""

EVERY_SERVICE: dict[str, Value] = {
    "TUNTAS_ENVIRONMENT": lambda s, p: "development",
    "TUNTAS_KAFKA": lambda s, p: s.kafka,
    "TUNTAS_KAFKA_USERNAME": lambda s, p: s.kafka_users[p.service].username if s.kafka_users else None,
    "TUNTAS_KAFKA_PASSWORD": lambda s, p: s.kafka_users[p.service].password if s.kafka_users else None,
    "TUNTAS_DATABASE_URL": lambda s, p: s.databases[p.service],
    "TUNTAS_HTTP_HOST": lambda s, p: LOOPBACK,
    "TUNTAS_HTTP_PORT": lambda s, p: str(p.port),
    "TUNTAS_OIDC_ISSUER": lambda s, p: s.issuer,
    "TUNTAS_OIDC_AUDIENCE": lambda s, p: AUDIENCE,
    "TUNTAS_MIGRATE_ON_START": lambda s, p: "true",
    "TUNTAS_SIMULATED_CLOCK": lambda s, p: None if s.simulated_clock is None else str(s.simulated_clock),
    "TUNTAS_WATERMARK_TOLERANCE_S": lambda s, p: "0",
    "TUNTAS_TRACE_RATIO": lambda s, p: str(s.trace_ratio),
    "TUNTAS_TRACE_FILE": lambda s, p: str(s.traces / f"{p.part}.jsonl"),
    "TUNTAS_LOG_LEVEL": lambda s, p: s.log_level,
}

NAME_KEYS: dict[str, Value] = {"TUNTAS_NAME_KEYS": lambda s, p: s.name_keys}

OF_ONE_SERVICE: dict[Service, dict[str, Value]] = {
    Service.INTAKE: {
        "TUNTAS_ENCRYPTION_KEY": lambda s, p: s.encryption_key,
        "TUNTAS_ACCESS_CODE_PEPPER": lambda s, p: s.access_code_pepper,
        **NAME_KEYS,
    },
    Service.TRIAGE: NAME_KEYS,
    Service.DISPATCH: NAME_KEYS,
    Service.NOTIFIER: {
        "TUNTAS_SMTP_HOST": lambda s, p: LOOPBACK,
        "TUNTAS_SMTP_PORT": lambda s, p: str(s.smtp_port),
        "TUNTAS_MAIL_FROM": lambda s, p: "SP4N-LAPOR! <noreply@tuntas.example>",
        "TUNTAS_INTAKE_URL": lambda s, p: s.intake_url,
        "TUNTAS_CLIENT_ID": lambda s, p: p.service.value,
        "TUNTAS_CLIENT_SECRET": lambda s, p: s.client_secrets[p.service],
    },
}


def service_environment(surroundings: Surroundings, place: Place) -> dict[str, str]:
    """The whole environment of one process: the machine's without any `TUNTAS_…` of it, and the table's."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TUNTAS_")}
    variables["PYTHONUNBUFFERED"] = "1"  # a log must hold the last lines of a process that is killed
    for name, value_of in (EVERY_SERVICE | OF_ONE_SERVICE.get(place.service, {})).items():
        value = value_of(surroundings, place)
        if value is not None:
            variables[name] = value
    return variables
