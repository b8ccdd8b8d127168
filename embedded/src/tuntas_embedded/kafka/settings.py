"""A broker's settings: one small machine, about 1,400 topics of one partition, nothing made without being asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuntas_embedded.ports import LOOPBACK
from tuntas_operations.credentials import MECHANISM, PROTOCOL, Credentials

_MB = 1024 * 1024
_CLIENTS = "CLIENTS"
_PROXIED = "PROXIED"
_CONTROLLER = "CONTROLLER"
_MODULES = "org.apache.kafka.common.security"

_FIXED: dict[str, str] = {
    "process.roles": "broker,controller",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    # Each active segment maps two index files of this size; 1 MiB still indexes a segment of half a gigabyte.
    "log.index.size.max.bytes": str(_MB),
    "log.cleaner.dedupe.buffer.size": str(16 * _MB),
    # The controller's idle heartbeat into the metadata log; the default of 500 ms wakes an idle machine.
    "metadata.max.idle.interval.ms": "5000",
}

# A broker killed and started again is refused until its former life's session has run out. Among several, a session that is too
# short takes a broker that merely waited for a processor out of every partition's replicas in sync.
_ALONE = {"broker.heartbeat.interval.ms": "500", "broker.session.timeout.ms": "3000"}
_AMONG_SEVERAL = {
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "6000",
    "controller.quorum.election.timeout.ms": "2000",
    "controller.quorum.fetch.timeout.ms": "4000",
    "num.replica.fetchers": "1",
    # When a follower that stopped fetching leaves the replicas in sync, where its session has not ended before.
    "replica.lag.time.max.ms": "10000",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One broker among those of a stack: its number from 1 on, and the port of each node's controller by number.

    `proxied` are two ports: where it listens to clients that come through a proxy, and the proxy's own, which it announces to them.
    """

    number: int = 1
    controllers: Mapping[int, int] = field(default_factory=dict)
    proxied: tuple[int, int] | None = None

    @property
    def replicas(self) -> int:
        """How many replicas each partition has: one on every broker."""
        return max(len(self.controllers), 1)

    def settings(self) -> dict[str, str]:
        """Replication, also of the broker's own topics: of three replicas two must have a record before it is acknowledged."""
        replicas, in_sync = str(self.replicas), str(max(self.replicas - 1, 1))
        return {
            "node.id": str(self.number),
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync,
            **(_ALONE if self.replicas == 1 else _AMONG_SEVERAL),
        }


LOG_SETTINGS = """\
status = error
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = OUT
logger.life.name = kafka.server.KafkaRaftServer
logger.life.level = info
"""
"""Log4j's settings: warnings, and the start and end of the server; at INFO each topic writes several lines."""


def security_settings(client_listeners: Sequence[str], operator: Credentials | None) -> dict[str, str]:
    """Who may connect and what they may do: the one place for protocols, SASL mechanisms, authorizer and super users.

    Without an operator: loopback in clear, and everyone may do everything. With one, which the storage tool must have added:
    every client is a user with SCRAM-SHA-512, may do what a rule allows, and the operator everything.
    """
    protocol = "PLAINTEXT" if operator is None else PROTOCOL
    protocols = {"listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name in (*client_listeners, _CONTROLLER))}
    if operator is None:
        return protocols
    controller = f"listener.name.{_CONTROLLER.lower()}"
    login = f'username="{operator.username}" password="{operator.password}"'
    clients: dict[str, str] = {}
    for listener in client_listeners:
        prefix = f"listener.name.{listener.lower()}"
        clients[f"{prefix}.sasl.enabled.mechanisms"] = MECHANISM
        clients[f"{prefix}.{MECHANISM.lower()}.sasl.jaas.config"] = f"{_MODULES}.scram.ScramLoginModule required {login};"
    return {
        **protocols,
        **clients,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        # The controller's listener takes admin requests too: in clear without a password it would be a way round the
        # authorizer. SCRAM is not to be had there, its credentials being in the very log that the controller must read first;
        # so the one user that it knows is here.
        f"{controller}.sasl.enabled.mechanisms": "PLAIN",
        f"{controller}.plain.sasl.jaas.config": (
            f'{_MODULES}.plain.PlainLoginModule required {login} user_{operator.username}="{operator.password}";'
        ),
        "sasl.mechanism.controller.protocol": "PLAIN",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{operator.username}",
    }


def server_properties(
    data: Path, client_port: int, controller_port: int, operator: Credentials | None = None, node: Node | None = None
) -> str:
    """The text of `server.properties`, with the operator's password. The ports may differ at every start; the data stay."""
    node = node or Node()
    listeners, advertised = {_CLIENTS: client_port}, {_CLIENTS: client_port}
    if node.proxied is not None:
        listeners[_PROXIED], advertised[_PROXIED] = node.proxied
    controllers = node.controllers or {node.number: controller_port}
    settings = (
        _FIXED
        | node.settings()
        | {
            "log.dirs": str(data),
            "listeners": _addresses(listeners | {_CONTROLLER: controller_port}),
            "advertised.listeners": _addresses(advertised),
            "controller.listener.names": _CONTROLLER,
            "inter.broker.listener.name": _CLIENTS,
            "controller.quorum.voters": ",".join(f"{number}@{LOOPBACK}:{port}" for number, port in controllers.items()),
            **security_settings(tuple(listeners), operator),
        }
    )
    return "".join(f"{key}={_escaped(value)}\n" for key, value in sorted(settings.items()))


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{listener}://{LOOPBACK}:{port}" for listener, port in ports.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
