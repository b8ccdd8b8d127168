"""The installation that the commands work on: the local stack of a folder, or the cluster that the environment names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

from notifier.settings import RelaySecurity
from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import NotRunning, StackError
from tuntas_operations.service_modules import module_of
from tuntas_operations.settings import OperatorSettings, load_operator_settings, name_a_cluster, variable

_LOCAL = "tuntas.local_stack"
"""The entry points under which a package opens a stack on this machine."""


class NotSet(StackError):
    """A command needs a setting that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRelay:
    """Where mails are delivered to."""

    host: str
    port: int
    security: RelaySecurity
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where everything is and how to reach it; None or absent is not known.

    `kafka_client` are librdkafka's settings beside the servers. `databases` are URLs with passwords; `urls` where the
    services answer HTTP. `agencies` are those that have topics, None for the whole register. `token` gives the operator's
    bearer token; `client` the credentials by which the issuer would give one.
    """

    name: str
    local: bool
    kafka: str | None
    kafka_client: Mapping[str, str] = field(default_factory=dict, repr=False)
    databases: Mapping[Service, str] = field(default_factory=dict, repr=False)
    urls: Mapping[Service, str] = field(default_factory=dict)
    issuer: str | None = None
    token: Callable[[], str] | None = None
    client: tuple[str, str] | None = field(default=None, repr=False)
    agencies: Sequence[str] | None = None
    collector: str | None = None
    mail: MailRelay | None = None

    def needs_kafka(self) -> str:
        """The bootstrap servers; raises NotSet."""
        if self.kafka is None:
            raise NotSet(f"no broker is named: set {variable('kafka')} to its bootstrap servers")
        return self.kafka

    def needs_database(self, service: Service) -> str:
        """The URL of a service's database; raises NotSet."""
        if service not in self.databases:
            raise NotSet(f"the database of {service} is not named: set {variable('database_url_' + module_of(service))}")
        return self.databases[service]

    def needs_url(self, service: Service) -> str:
        """Where a service answers HTTP; raises NotSet."""
        if service not in self.urls:
            raise NotSet(f"the address of {service} is not named: set {variable('url_' + module_of(service))}")
        return self.urls[service]


def find_installation(folder: Path | None) -> Installation:
    """The stack of `folder`; without one, the cluster of the environment, and where it names none the default folder's stack.

    Raises:
        NotRunning: no stack runs in the folder.
        UnusableSettings: the environment's settings can't be used.
    """
    if folder is None and name_a_cluster():
        return of_settings(load_operator_settings())
    hint = "" if folder else f"; for a cluster set {variable('kafka')} and what else `tuntas ops --help` lists"
    for entry in entry_points(group=_LOCAL):
        try:
            opened: Installation = entry.load()(folder)
        except NotRunning as error:
            raise NotRunning(f"{error}{hint}") from None
        return opened
    raise NotRunning(f"no local stack can be had here{hint}")


def of_settings(settings: OperatorSettings) -> Installation:
    """The cluster that settings name."""
    databases = {service: settings.of_service("database_url", service) for service in Service}
    urls = {service: settings.of_service("url", service) for service in Service}
    token = settings.token
    secret = settings.client_secret
    return Installation(
        name=f"the cluster at {settings.kafka}" if settings.kafka else "the cluster of the environment",
        local=False,
        kafka=settings.kafka,
        kafka_client=_librdkafka(settings),
        databases={service: url for service, url in databases.items() if url},
        urls={service: url.rstrip("/") for service, url in urls.items() if url},
        issuer=settings.oidc_issuer,
        token=token.get_secret_value if token else None,
        client=(settings.client_id, secret.get_secret_value()) if settings.client_id and secret else None,
        collector=settings.otlp_endpoint,
        mail=_relay(settings),
    )


def _relay(settings: OperatorSettings) -> MailRelay | None:
    if settings.smtp_host is None:
        return None
    password = settings.smtp_password
    return MailRelay(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
    )


def _librdkafka(settings: OperatorSettings) -> dict[str, str]:
    options: dict[str, str] = {}
    if settings.kafka_username and settings.kafka_password:
        options |= {
            "security.protocol": "SASL_SSL" if settings.kafka_tls else "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    elif settings.kafka_tls:
        options["security.protocol"] = "SSL"
    if settings.kafka_tls and settings.kafka_ca_file:
        options["ssl.ca.location"] = str(settings.kafka_ca_file)
    return options
