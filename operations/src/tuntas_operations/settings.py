"""The settings by which `tuntas ops` reaches a cluster: environment variables `TUNTAS_*`, named as the services have them."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifier.settings import RelaySecurity
from tuntas_chassis.addresses import DatabaseUrl, ExistingFile, KafkaServers, WebUrl
from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import StackError
from tuntas_operations.service_modules import module_of

PREFIX = "TUNTAS_"
_NAMES_A_CLUSTER = ("kafka", *(f"database_url_{module_of(service)}" for service in Service))


class OperatorSettings(BaseSettings):
    """Everything can be left out: a command that needs what is not set says so, and `doctor` passes it over."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    kafka: KafkaServers | None = Field(default=None, description="Bootstrap servers, host:port, separated by commas")
    kafka_username: str | None = Field(default=None, description="SCRAM-SHA-512 user, best one that administrates the cluster")
    kafka_password: SecretStr | None = Field(default=None, description="Its password")
    kafka_tls: bool = Field(default=False, description="Whether the brokers are reached by TLS")
    kafka_ca_file: ExistingFile | None = Field(default=None, description="Certificates that sign the brokers', the system's by default")

    database_url_intake: DatabaseUrl | None = Field(default=None, description="postgresql://role:password@host:port/database of intake")
    database_url_triage: DatabaseUrl | None = Field(default=None, description="… of triage")
    database_url_dispatch: DatabaseUrl | None = Field(default=None, description="… of dispatch")
    database_url_sla_monitor: DatabaseUrl | None = Field(default=None, description="… of sla-monitor")
    database_url_notifier: DatabaseUrl | None = Field(default=None, description="… of notifier")

    url_intake: WebUrl | None = Field(default=None, description="Where intake answers HTTP, http://host:port")
    url_triage: WebUrl | None = Field(default=None, description="… triage")
    url_dispatch: WebUrl | None = Field(default=None, description="… dispatch")
    url_sla_monitor: WebUrl | None = Field(default=None, description="… sla-monitor")
    url_notifier: WebUrl | None = Field(default=None, description="… notifier")

    oidc_issuer: WebUrl | None = Field(default=None, description="Issuer URL of the identity provider")
    token: SecretStr | None = Field(default=None, description="Your own bearer token, with the role operator; it names you in the audit")
    client_id: str | None = Field(default=None, description="Instead of a token: a client of the issuer with the role operator")
    client_secret: SecretStr | None = Field(default=None, description="Its secret")

    otlp_endpoint: WebUrl | None = Field(default=None, description="The OpenTelemetry collector, http://host:4318")
    smtp_host: str | None = Field(default=None, description="The mail relay")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port")
    smtp_security: RelaySecurity = Field(default="starttls", description="tls, starttls, opportunistic or none")
    smtp_username: str | None = Field(default=None, description="Login at the mail relay")
    smtp_password: SecretStr | None = Field(default=None, description="Its password")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        for one, other in (("kafka_username", "kafka_password"), ("client_id", "client_secret"), ("smtp_username", "smtp_password")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(f"{variable(one)} and {variable(other)} go together: set both or neither")
        return self

    def of_service(self, setting: str, service: Service) -> str | None:
        """A setting that each service has its own of: `url` or `database_url`."""
        value = getattr(self, f"{setting}_{module_of(service)}")
        return value.get_secret_value() if isinstance(value, SecretStr) else value


class UnusableSettings(StackError):
    """Environment variables that can't be used. `faults` has a sentence for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def variable(field: str) -> str:
    """The environment variable of a field."""
    return (PREFIX + field).upper()


def name_a_cluster(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names an installation, so that the commands work on that and not on the local stack."""
    return any(environment.get(variable(field)) for field in _NAMES_A_CLUSTER)


def load_operator_settings() -> OperatorSettings:
    """The settings of the environment.

    Raises:
        UnusableSettings: with every fault by the variable's name.
    """
    try:
        return OperatorSettings()
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            name = variable("_".join(str(part) for part in fault["loc"])) + ": " if fault["loc"] else ""
            faults.append(name + fault["msg"].removeprefix("Value error, "))
        raise UnusableSettings(faults) from None


def help_text() -> str:
    """Every variable with its meaning, for `--help`."""
    rows = [(variable(name), field.description or "") for name, field in OperatorSettings.model_fields.items()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {meaning}" for name, meaning in rows)
