"""Kafka itself: what was written survives `kill -9` and a start on other ports; topics are made fast and once."""

import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from tests.support.attempts import GRANTED, TOPIC_REFUSED, Attempts, connection_faults
from tuntas_embedded.kafka import KafkaServer
from tuntas_embedded.ports import LOOPBACK, free_port
from tuntas_embedded.processes import Supervisor
from tuntas_operations.broker_users import provide_rights, provide_user
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import StackError
from tuntas_operations.rights import BrokerUser, Grant
from tuntas_operations.topics import TopicSpec, create_topics, topics_for

QUIET = {"log_level": 0}
INSECURE: Mapping[str, str] = {}


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    supervisor.stop_all()


OPERATOR = Credentials("operator", "-a-password_1")
# DescribeCluster, version 0, with a correlation id, no client id, no tags: the smallest request that both listeners answer
DESCRIBE_CLUSTER = struct.pack(">hhihBBB", 60, 0, 7, -1, 0, 0, 0)


def kafka_in(folder: Path, operator: Credentials | None = None, controller_port: int = 0) -> KafkaServer:
    return KafkaServer(folder / "kafka", free_port(), controller_port or free_port(), folder / "kafka.log", operator)


def write(bootstrap: str, topic: str, *values: bytes, client: Mapping[str, str] = INSECURE) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, **QUIET, **client})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(60) == 0
    assert failures == []


def read_all(bootstrap: str, topic: str, count: int, within_s: float = 60, *, client: Mapping[str, str] = INSECURE) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False, **QUIET, **client})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes] = []
    deadline = time.monotonic() + within_s
    while len(values) < count and time.monotonic() < deadline:
        for message in consumer.consume(count, 1):
            if message.error() is None:
                values.append(message.value() or b"")
    consumer.close()
    return values


def test_records_survive_kill_and_restart_and_a_move_to_other_ports(tmp_path: Path, supervisor: Supervisor) -> None:
    server = kafka_in(tmp_path)
    supervisor.start(server.prepare())
    create_topics(server.bootstrap, [TopicSpec("kept", 1)])
    write(server.bootstrap, "kept", *(f"before-{n}".encode() for n in range(200)))
    supervisor.kill("kafka")
    supervisor.restart("kafka")
    write(server.bootstrap, "kept", b"after")
    supervisor.stop("kafka")

    moved = kafka_in(tmp_path)
    assert moved.bootstrap != server.bootstrap
    supervisor.start(moved.prepare())
    values = read_all(moved.bootstrap, "kept", 201)
    assert values == [*(f"before-{n}".encode() for n in range(200)), b"after"]


def test_the_topics_of_the_whole_platform(tmp_path: Path, supervisor: Supervisor) -> None:
    server = kafka_in(tmp_path)
    supervisor.start(server.prepare())
    topics = topics_for(f"agency-{n}" for n in range(150))

    assert create_topics(server.bootstrap, topics) == len(topics) == 305
    # Each can be written to at once: no transient refusal by a leader that does not know its part yet.
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": server.bootstrap, "retries": 0, **QUIET})
    for topic in topics:
        producer.produce(topic.name, b"x", b"key", on_delivery=lambda error, _: failures.append(error) if error else None)
    producer.flush(60)
    assert failures == []

    assert create_topics(server.bootstrap, [*topics, TopicSpec("one.more", 3)]) == 1
    admin = AdminClient({"bootstrap.servers": server.bootstrap, **QUIET})
    actions = next(topic.name for topic in topics if "agency-actions" in topic.name)
    (settings,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, actions)]).values()
    assert settings.result()["message.timestamp.type"].value == "LogAppendTime"
    assert len(admin.list_topics(timeout=10).topics["one.more"].partitions) == 3


def test_two_who_make_the_same_topics_at_once_both_succeed(tmp_path: Path, supervisor: Supervisor) -> None:
    server = kafka_in(tmp_path)
    supervisor.start(server.prepare())
    topics = [TopicSpec(f"shared.{n}", 1) for n in range(30)]
    made: list[int] = []
    threads = [threading.Thread(target=lambda: made.append(create_topics(server.bootstrap, topics))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == len(topics)


def test_a_setting_that_kafka_refuses_is_named_with_its_topic(tmp_path: Path, supervisor: Supervisor) -> None:
    server = kafka_in(tmp_path)
    supervisor.start(server.prepare())
    with pytest.raises(StackError, match=r"topic odd.*cleanup\.policy"):
        create_topics(server.bootstrap, [TopicSpec("odd", 1, {"cleanup.policy": "sometimes"})])


def test_without_a_broker_it_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuntas_operations.topics._REQUEST_S", 2)
    with pytest.raises(StackError, match="does not answer"):
        create_topics(f"127.0.0.1:{free_port()}", [TopicSpec("t", 1)])


def answered(port: int, request: bytes) -> bool:
    """Whether the listener answers a request of somebody who did not say who it is; if not it hangs up."""
    with socket.create_connection((LOOPBACK, port), timeout=30) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        try:
            return connection.recv(4) != b""
        except ConnectionResetError:
            return False


@pytest.mark.parametrize("secured", [False, True])
def test_the_controllers_listener_is_no_way_round_the_rights(tmp_path: Path, supervisor: Supervisor, *, secured: bool) -> None:
    controller_port = free_port()
    server = kafka_in(tmp_path, OPERATOR if secured else None, controller_port)
    supervisor.start(server.prepare())
    assert answered(controller_port, DESCRIBE_CLUSTER) is not secured
    assert answered(int(server.bootstrap.rpartition(":")[2]), DESCRIBE_CLUSTER) is not secured
    if not secured:
        return
    user = Credentials("intake", "its own password")
    provide_user(server.bootstrap, OPERATOR, user)
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):  # it is a user of the broker, and of nothing else
        assert "_AUTHENTICATION" in connection_faults(f"{LOOPBACK}:{controller_port}", user.librdkafka() | {"sasl.mechanism": mechanism})
    assert "_AUTHENTICATION" in connection_faults(server.bootstrap, OPERATOR.librdkafka() | {"sasl.mechanism": "PLAIN"})


def test_users_and_rights_survive_kill_and_restart_and_follow_what_is_declared(tmp_path: Path, supervisor: Supervisor) -> None:
    server = kafka_in(tmp_path, OPERATOR)
    spec = server.prepare()
    supervisor.start(spec)
    assert OPERATOR.password not in " ".join(spec.command)
    writer = Credentials("writer", "w" * 20)
    create_topics(server.bootstrap, [TopicSpec("one", 1), TopicSpec("two", 1)], client=OPERATOR.librdkafka())
    provide_user(server.bootstrap, OPERATOR, writer)
    both = BrokerUser("writer", (Grant("topic", "one", ("Write",)), Grant("topic", "two", ("Write",))))
    provide_rights(server.bootstrap, OPERATOR, [both])
    supervisor.kill("kafka")
    supervisor.restart("kafka")
    assert Attempts(server.bootstrap, writer).write(["one", "two"]) == {"one": GRANTED, "two": GRANTED}

    one = BrokerUser("writer", (Grant("topic", "one", ("Write",)),))
    for _ in range(2):
        provide_rights(server.bootstrap, OPERATOR, [one])

    def answers() -> dict[str, str]:
        return Attempts(server.bootstrap, writer).write(["one", "two"])

    deadline = time.monotonic() + 20
    while (now := answers())["two"] == GRANTED:
        assert time.monotonic() < deadline, "a right that is declared no more was not taken away"
    assert now == {"one": GRANTED, "two": TOPIC_REFUSED}
    provide_rights(server.bootstrap, OPERATOR, [BrokerUser("reader", (Grant("topic", "one", ("Read",)),))])
    assert answers() == now, "a user that was not named lost its rights"

    log = (tmp_path / "kafka.log").read_text(encoding="utf-8")
    assert OPERATOR.password not in log
    others = [path for path in (tmp_path / "kafka").iterdir() if path.is_file() and path.stat().st_mode & 0o077]
    assert not [path for path in others if OPERATOR.password in path.read_text(encoding="utf-8")]


def test_data_of_a_broker_without_users_are_not_started_with_them(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(kafka_in(tmp_path).prepare())
    supervisor.stop("kafka")
    with pytest.raises(StackError, match="before it had users"):
        kafka_in(tmp_path, OPERATOR).prepare()
