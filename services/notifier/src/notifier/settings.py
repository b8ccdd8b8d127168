"""The notifier's settings beside the chassis'."""

from datetime import timedelta
from email.utils import parseaddr
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from notifier.domain.age import AgeLimit
from notifier.domain.mailboxes import CentralMailboxes, is_address
from tuntas_chassis.addresses import WebUrl
from tuntas_chassis.settings import ServiceSettings

RelaySecurity = Literal["tls", "starttls", "opportunistic", "none"]


class Settings(ServiceSettings):
    """Environment variables `TUNTAS_*`; seconds end in `_s`."""

    intake_url: WebUrl = Field(description="Where intake's HTTP interface is, for the look-up of contacts")
    client_id: str = Field(default="notifier", description="The notifier at the identity provider")
    client_secret: SecretStr

    smtp_host: str = Field(description="The mail relay")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: RelaySecurity | None = Field(
        default=None, description="Default: starttls in staging and production, elsewhere opportunistic (starttls if the relay has it)"
    )
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_connections: int = Field(default=4, ge=1, le=64)
    smtp_timeout_s: float = Field(default=15, gt=0, description="For one answer of the relay")
    smtp_idle_s: float = Field(default=20, gt=0, description="A connection that was unused for longer is closed")

    mail_from: str = Field(default="SP4N-LAPOR! <laporan@lapor.example>", description="Its domain ends every Message-ID")
    mails_per_second: float = Field(default=200, gt=0, description="What this process hands to the relay at most")
    mail_batch: int = Field(default=100, ge=1, le=500, description="Deliveries taken at once; intake looks up 500 contacts at most")
    mail_lease_s: float = Field(default=60, gt=0, description="How long a taken delivery is this process's alone")
    delivery_retention_days: int = Field(
        default=400, ge=1, description="How long it is remembered what was sent; what happened before that gets no notice"
    )
    notice_max_age_days: int = Field(
        default=7,
        ge=1,
        description="An event that has lain on its topic for longer is read again or was unread for too long: no notice is sent",
    )
    queue_metrics_s: float = Field(default=15, gt=0)

    reporter_page: str = Field(default="https://lapor.example/laporan", description="Page of a report, without its tracking id")
    officer_page: str = Field(default="https://lapor.example/petugas/laporan", description="Page of a case, without its id")
    national_administrator_email: str = "admin-nasional@lapor.example"
    supervisor_email: str = "pengawas@lapor.example"
    operator_email: str = "operator@lapor.example"

    @field_validator("mail_from", "national_administrator_email", "supervisor_email", "operator_email")
    @classmethod
    def _has_an_address(cls, value: str) -> str:
        if not value.isprintable() or not is_address(parseaddr(value)[1]):
            raise ValueError("is no e-mail address; write it as name@example.id, the sender also as Name <name@example.id>")
        return value

    @model_validator(mode="after")
    def _relay_is_protected(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("TUNTAS_SMTP_USERNAME and TUNTAS_SMTP_PASSWORD go together: set both or neither")
        if self._guarded and self.smtp_security in ("none", "opportunistic"):
            raise ValueError(
                f"TUNTAS_SMTP_SECURITY is {self.smtp_security} while TUNTAS_ENVIRONMENT is {self.environment}: "
                "mail names its readers, so reach the relay by starttls or tls"
            )
        return self

    @property
    def _guarded(self) -> bool:
        return self.environment in ("staging", "production")

    @property
    def age_limit(self) -> AgeLimit:
        """What gets no notice any more."""
        return AgeLimit(timedelta(days=self.notice_max_age_days), timedelta(days=self.delivery_retention_days))

    @property
    def relay_security(self) -> RelaySecurity:
        """How the relay is reached."""
        return self.smtp_security or ("starttls" if self._guarded else "opportunistic")

    @property
    def sender(self) -> tuple[str, str]:
        """Name and address of the sender."""
        return parseaddr(self.mail_from)

    @property
    def central_mailboxes(self) -> CentralMailboxes:
        """The mailboxes of roles that belong to no agency."""
        return CentralMailboxes(
            national_administrator=parseaddr(self.national_administrator_email)[1],
            supervisor=parseaddr(self.supervisor_email)[1],
            operator=parseaddr(self.operator_email)[1],
        )
