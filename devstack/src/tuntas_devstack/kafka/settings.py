"""The broker's settings: one small machine, about 1,400 topics of one partition, nothing made without being asked for."""

from pathlib import Path

from tuntas_devstack.kafka.access import MECHANISM, PROTOCOL, Credentials
from tuntas_devstack.ports import LOOPBACK

_MB = 1024 * 1024
_CONTROLLER = "CONTROLLER"
_MODULES = "org.apache.kafka.common.security"

_FIXED: dict[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # One broker: every internal topic has one replica, and few partitions.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    # Each active segment maps two index files of this size; 1 MiB still indexes a segment of half a gigabyte.
    "log.index.size.max.bytes": str(_MB),
    "log.cleaner.dedupe.buffer.size": str(16 * _MB),
    # A broker killed and started again is refused until its former life's session has run out.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    # The controller's idle heartbeat into the metadata log; the default of 500 ms wakes an idle machine.
    "metadata.max.idle.interval.ms": "5000",
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


def security_settings(client_listener: str, operator: Credentials | None) -> dict[str, str]:
    """Who may connect and what they may do: the one place for protocols, SASL mechanisms, authorizer and super users.

    Without an operator: loopback in clear, and everyone may do everything. With one, which the storage tool must have added:
    every client is a user with SCRAM-SHA-512, may do what a rule allows, and the operator everything.
    """
    if operator is None:
        return {"listener.security.protocol.map": f"{client_listener}:PLAINTEXT,{_CONTROLLER}:PLAINTEXT"}
    clients, controller = (f"listener.name.{listener.lower()}" for listener in (client_listener, _CONTROLLER))
    login = f'username="{operator.username}" password="{operator.password}"'
    return {
        "listener.security.protocol.map": f"{client_listener}:{PROTOCOL},{_CONTROLLER}:{PROTOCOL}",
        f"{clients}.sasl.enabled.mechanisms": MECHANISM,
        f"{clients}.{MECHANISM.lower()}.sasl.jaas.config": f"{_MODULES}.scram.ScramLoginModule required {login};",
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        # The controller's listener takes admin requests too: in clear without a password it would be a way round the
        # authorizer. SCRAM is not to be had there, its credentials being in the very log that the controller must read first;
        # so the one user that it knows stands here.
        f"{controller}.sasl.enabled.mechanisms": "PLAIN",
        f"{controller}.plain.sasl.jaas.config": (
            f'{_MODULES}.plain.PlainLoginModule required {login} user_{operator.username}="{operator.password}";'
        ),
        "sasl.mechanism.controller.protocol": "PLAIN",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{operator.username}",
    }


def server_properties(data: Path, client_port: int, controller_port: int, operator: Credentials | None = None) -> str:
    """The text of `server.properties`, with the operator's password. The ports may differ at every start; the data stay."""
    listener = "CLIENTS"
    settings = _FIXED | {
        "log.dirs": str(data),
        "listeners": f"{listener}://{LOOPBACK}:{client_port},{_CONTROLLER}://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"{listener}://{LOOPBACK}:{client_port}",
        "controller.listener.names": _CONTROLLER,
        "inter.broker.listener.name": listener,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        **security_settings(listener, operator),
    }
    return "".join(f"{key}={_escaped(value)}\n" for key, value in sorted(settings.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
