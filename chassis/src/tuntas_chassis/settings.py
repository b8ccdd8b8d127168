"""Settings from environment variables `TUNTAS_*`, checked at the start; a fault ends the process with one sentence each."""

import sys
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tuntas_chassis.addresses import DatabaseUrl, ExistingFile, KafkaServers, WebUrl


class ServiceSettings(BaseSettings):
    """What every service needs. Seconds end in `_s`, milliseconds in `_ms`."""

    model_config = SettingsConfigDict(env_prefix="TUNTAS_", extra="ignore", frozen=True, env_ignore_empty=True)

    environment: Literal["development", "test", "staging", "production"] = "production"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    kafka: KafkaServers = Field(description="Bootstrap servers, host:port, separated by commas")
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_tls: bool = False
    kafka_ca_file: ExistingFile | None = None

    database_url: DatabaseUrl = Field(description="postgresql://role:password@host:port/database")
    database_pool_size: int = Field(default=8, ge=1, le=100, description="Connections for work: requests that change something, consumers")
    database_command_timeout_s: float = Field(
        default=30, gt=0, le=600, description="A statement without an answer for so long counts as a lost connection"
    )
    database_read_pool_size: int = Field(
        default=3, ge=1, le=100, description="Connections for reads over HTTP: figures, lists, single cases; opened when first needed"
    )
    database_read_timeout_s: float = Field(
        default=3, ge=0.1, le=60, description="A read over HTTP that takes longer is cancelled and answered with 503"
    )
    migrate_on_start: bool = False

    http_host: str = "0.0.0.0"  # noqa: S104  (in a pod every interface is the pod's own)
    http_port: int = Field(default=8080, ge=0, le=65535)
    http_keep_alive_s: int = Field(
        default=75,
        ge=1,
        description="How long an idle connection is kept: longer than any caller keeps it, or its next request meets a closed one",
    )
    max_body_bytes: int = Field(default=262_144, ge=1024)
    http_max_connections: int = Field(
        default=1_000, ge=10, description="Open at once; above it the one that has kept us waiting longest makes room"
    )
    http_max_requests: int = Field(default=500, ge=1, description="Being answered at once; more are refused with 503")
    http_header_timeout_s: float = Field(default=10, gt=0, description="Within which a request's headers must arrive")
    http_body_timeout_s: float = Field(default=30, gt=0, description="Within which its body must arrive")
    http_answer_timeout_s: float = Field(default=30, gt=0, description="Within which its answer must be read")

    oidc_issuer: WebUrl = Field(description="Issuer URL of the identity provider")
    oidc_audience: str = "tuntas"

    simulated_clock: ExistingFile | None = None

    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    trace_slow_s: float = Field(default=2, gt=0, description="A request that takes longer is traced though the ratio did not choose it")
    trace_file: Path | None = None
    otlp_endpoint: WebUrl | None = None

    batch_max: int = Field(default=2_000, ge=1)
    batch_linger_ms: int = Field(default=150, ge=0, description="How long a busy consumer waits to take a larger batch")
    outbox_shards: int = Field(default=24, ge=1, le=1000, description="Equal to the partitions of the cases topic")
    outbox_batch: int = Field(default=2_000, ge=1)
    outbox_linger_ms: int = Field(default=80, ge=0)
    outbox_send_limit_s: float = Field(
        default=3, gt=0, description="How long a relay waits for a partition's answer before it continues without that partition"
    )
    outbox_lease_s: float = Field(
        default=30, ge=1, description="A relay that gave no sign of life to the database for so long is replaced by another"
    )
    outbox_poll_s: float = Field(default=2, gt=0, description="How long an idle relay waits before it looks unasked")
    watermark_interval_s: float = Field(default=15, gt=0, description="Business time between two watermarks")
    watermark_tolerance_s: float = Field(
        default=1, ge=0, description="By how much clocks may differ at least; a broker that is measured to differ more counts"
    )
    park_limit_per_minute: int = Field(default=1_000, ge=1, description="More than this on one partition halts it")
    inbox_retention_days: int = Field(default=30, ge=1)
    resolved_retention_days: int = Field(default=90, ge=1, description="How long replayed and discarded dead letters are kept")
    drain_timeout_s: float = Field(default=20, gt=0)

    @model_validator(mode="after")
    def _refuse_what_production_must_not_have(self) -> Self:
        if self.environment in ("staging", "production") and self.simulated_clock:
            raise ValueError(
                f"TUNTAS_SIMULATED_CLOCK is set while TUNTAS_ENVIRONMENT is {self.environment}: legal deadlines run on real time; unset it"
            )
        if (self.kafka_username is None) != (self.kafka_password is None):
            raise ValueError("TUNTAS_KAFKA_USERNAME and TUNTAS_KAFKA_PASSWORD go together: set both or neither")
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL with the driver's name."""
        url = self.database_url.get_secret_value()
        return url.replace("postgresql://", "postgresql+asyncpg://", 1)


ST = TypeVar("ST", bound=ServiceSettings)


def load_settings(kind: type[ST]) -> ST:
    """The settings of the environment; ends the process with exit status 2 and a line per fault where they are unusable."""
    try:
        return kind()
    except ValidationError as error:
        for fault in error.errors():
            name = "TUNTAS_" + "_".join(str(part) for part in fault["loc"]).upper() if fault["loc"] else "settings"
            print(f"{name}: {fault['msg']}", file=sys.stderr)  # noqa: T201  (logging is not set up yet)
        raise SystemExit(2) from None
