"""The notifier's settings beside the chassis'."""

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from notifier.domain.mailboxes import is_address
from tuntas_chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Environment variables `TUNTAS_*`; seconds end in `_s`."""

    intake_url: str = Field(description="Where intake's HTTP interface is, for the look-up of contacts")
    oidc_client_id: str = "notifier"
    oidc_client_secret: SecretStr = Field(description="The notifier's own secret at the identity provider")

    smtp_host: str = Field(description="The mail relay")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_connections: int = Field(default=4, ge=1, le=64)
    smtp_timeout_s: float = Field(default=15, gt=0, description="For one answer of the relay")
    smtp_idle_s: float = Field(default=20, gt=0, description="A connection unused for longer is closed")

    mail_from: str = Field(default="laporan@lapor.example", description="Sender of every mail")
    mail_from_name: str = "SP4N-LAPOR!"
    mail_domain: str = Field(default="lapor.example", pattern=r"^[a-z0-9][a-z0-9.-]{1,100}$", description="Right-hand side of the Message-ID")
    mails_per_second: float = Field(default=200, gt=0, description="What this process hands to the relay at most")
    mail_batch: int = Field(default=100, ge=1, le=500, description="Deliveries taken in one statement; at most what intake looks up at once")
    mail_lease_s: float = Field(default=60, gt=0, description="How long a taken delivery is this process's alone")
    delivery_retention_days: int = Field(default=400, ge=1)
    queue_metrics_s: float = Field(default=15, gt=0)

    reporter_page: str = Field(default="https://lapor.example/laporan", description="Page of a report, without its tracking id")
    officer_page: str = Field(default="https://lapor.example/petugas/laporan", description="Page of a case, without its id")
    national_administrator_email: str = "admin-nasional@lapor.example"
    supervisor_email: str = "pengawas@lapor.example"
    operator_email: str = "operator@lapor.example"

    @field_validator("mail_from", "national_administrator_email", "supervisor_email", "operator_email")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError("is no e-mail address; write it as name@example.id")
        return value

    @model_validator(mode="after")
    def _relay_is_protected(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("TUNTAS_SMTP_USERNAME and TUNTAS_SMTP_PASSWORD go together: set both or neither")
        if self.environment in ("staging", "production") and self.smtp_security == "none":
            raise ValueError("TUNTAS_SMTP_SECURITY is none: mail names its readers, so reach the relay by starttls or tls")
        return self
