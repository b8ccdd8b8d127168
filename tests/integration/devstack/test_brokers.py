"""Three brokers: every record on two of them before it is acknowledged, one of them killed, the users known to all."""

import time
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from tests.support.waiting import until_it_holds
from tuntas_contracts.topology import AGENCY_ACTIONS, CASES, concrete_topics
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_operations.doctor.broker import reach
from tuntas_operations.errors import StackError
from tuntas_operations.installation import find_installation

BROKERS = ["kafka", "kafka-2", "kafka-3"]
AGENCIES = ("kemenkes", "kota-32-73")
QUIET = {"log_level": 0}


def options(brokers: int) -> StackOptions:
    return StackOptions(agencies=AGENCIES, services=(), brokers=brokers, kafka=None, database=None)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("brokers") / "stack", options(3))
    stack.start()
    yield stack
    stack.stop()
    stack.delete_data()


@pytest.fixture(scope="module")
def admin(stack: Stack) -> AdminClient:
    return AdminClient({"bootstrap.servers": stack.state.kafka, **QUIET, **stack.kafka_client()})


def write(stack: Stack, client: Mapping[str, str], topic: str, value: bytes) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": stack.state.kafka, "acks": "all", "enable.idempotence": True, **QUIET, **client})
    producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(60) == 0
    assert failures == []


def in_sync(admin: AdminClient) -> set[int]:
    """How many replicas in sync the partitions of all topics have."""
    topics = admin.list_topics(timeout=20).topics.values()
    return {len(partition.isrs) for topic in topics for partition in topic.partitions.values()}


def test_every_broker_runs_and_is_a_part_of_the_stack(stack: Stack, admin: AdminClient) -> None:
    assert [part.name for part in stack.state.brokers()] == BROKERS
    assert [part.health() for part in stack.state.brokers()] == ["ready"] * 3
    assert stack.state.kafka.split(",") == [part.address for part in stack.state.brokers()]
    assert len(admin.list_topics(timeout=20).brokers) == 3
    _, found = reach(find_installation(stack.folder.path))
    assert [finding.status for finding in found] == ["ok"] * 3, found


def test_every_topic_has_three_replicas_of_which_two_must_have_a_record(stack: Stack, admin: AdminClient) -> None:
    reader = Consumer({"bootstrap.servers": stack.state.kafka, "group.id": "reader", **QUIET, **stack.kafka_client()})
    reader.subscribe([CASES.name])
    until_it_holds(lambda: (reader.poll(0.1), reader.assignment())[1], "the group's coordinator, and its topic with it")
    reader.close()
    topics = admin.list_topics(timeout=20).topics
    assert {name for name, _ in concrete_topics(AGENCIES)} | {"__consumer_offsets"} <= set(topics)
    assert {len(partition.replicas) for topic in topics.values() for partition in topic.partitions.values()} == {3}
    answers = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in topics])
    assert {answer.result()["min.insync.replicas"].value for answer in answers.values()} == {"2"}


def test_a_killed_broker_is_not_missed_and_comes_back_in_sync(stack: Stack, admin: AdminClient) -> None:
    agency = stack.agency_client("kemenkes")
    assert agency is not None
    topic = AGENCY_ACTIONS.for_agency("kemenkes")
    write(stack, agency.librdkafka(), topic, b"before")
    stack.kill("kafka")
    write(stack, agency.librdkafka(), topic, b"without")
    write(stack, stack.kafka_client(), CASES.name, b"without")
    stack.restart("kafka")
    until_it_holds(lambda: in_sync(admin) == {3}, "every replica is in sync again", 120)


def test_a_frozen_broker_is_left_out_until_it_goes_on(stack: Stack, admin: AdminClient) -> None:
    stack.freeze("kafka-3")
    try:
        begun = time.monotonic()
        write(stack, stack.kafka_client(), CASES.name, b"while one is frozen")
        assert time.monotonic() - begun < 60
    finally:
        stack.thaw("kafka-3")
    until_it_holds(lambda: in_sync(admin) == {3}, "every replica is in sync again", 120)


def test_data_of_another_number_of_brokers_are_left_alone(stack: Stack) -> None:
    stack.stop()
    other = Stack(stack.folder.path, options(1))
    with pytest.raises(StackError, match="ask for --brokers 3"):
        other.start()
