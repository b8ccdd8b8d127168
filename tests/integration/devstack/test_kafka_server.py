"""Kafka itself: what was written survives `kill -9` and a start on other ports; topics are made fast and once."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from tuntas_devstack.errors import StackError
from tuntas_devstack.kafka import KafkaServer
from tuntas_devstack.ports import free_port
from tuntas_devstack.processes import Supervisor
from tuntas_devstack.topics import TopicSpec, create_topics, topics_for

QUIET = {"log_level": 0}


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    supervisor.stop_all()


def kafka_in(folder: Path) -> KafkaServer:
    return KafkaServer(folder / "kafka", free_port(), free_port(), folder / "kafka.log")


def write(bootstrap: str, topic: str, *values: bytes) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, **QUIET})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(60) == 0
    assert failures == []


def read_all(bootstrap: str, topic: str, count: int, within_s: float = 60) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False, **QUIET})
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

    assert create_topics(server.bootstrap, topics) == len(topics) == 304
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
    monkeypatch.setattr("tuntas_devstack.topics._REQUEST_S", 2)
    with pytest.raises(StackError, match="does not answer"):
        create_topics(f"127.0.0.1:{free_port()}", [TopicSpec("t", 1)])
