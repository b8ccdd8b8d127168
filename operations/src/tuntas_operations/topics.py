"""Creates topics: those which lack, in a few large requests, and waits until each can be written to."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

from dispatch.domain.register import load_register
from tuntas_contracts.topology import concrete_topics
from tuntas_operations.errors import StackError, Unreachable

# A topic with six settings is eight records of the metadata log, and the controller takes 10,000 at once.
_AT_ONCE = 500
_REQUEST_S = 30
_BETWEEN_LOOKS_S = 0.3
_AS_THE_BROKER_HAS_IT = -1


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to be: its name, partitions and settings. Replicas are the broker's default."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


def register_codes() -> list[str]:
    """The codes of every agency in the register that comes with dispatch."""
    return [agency.code for agency in load_register()]


def topics_for(agencies: Iterable[str]) -> list[TopicSpec]:
    """Every topic of a platform with these agencies, as `tuntas_contracts.topology` lists them."""
    return [TopicSpec(name, topic.partitions, topic.config) for name, topic in concrete_topics(agencies)]


def create_topics(bootstrap: str, topics: Sequence[TopicSpec], *, within_s: float = 60.0, client: Mapping[str, str] | None = None) -> int:
    """Create the topics that lack and wait until the leader of every partition answers; gives how many were made.

    `client` holds further settings of the Kafka client (security). One that somebody else makes meanwhile is fine.

    Raises:
        Unreachable: the broker does not answer.
        StackError: the broker refuses a topic, or one is not ready `within_s` seconds from now.
    """
    deadline = time.monotonic() + within_s
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **(client or {})})
    try:
        there = admin.list_topics(timeout=_REQUEST_S).topics
        lacking = [topic for topic in topics if topic.name not in there]
        made = sum(_create(admin, some, deadline) for some in _in_pieces(lacking))
        _wait_until_ready(admin, topics if lacking else [], deadline)
    except KafkaException as error:
        raise Unreachable(f"Kafka at {bootstrap} does not answer: {error.args[0].str()}") from error
    return made


def _in_pieces(topics: Iterable[TopicSpec]) -> Iterator[list[TopicSpec]]:
    rest = iter(topics)
    while piece := list(islice(rest, _AT_ONCE)):
        yield piece


def _create(admin: AdminClient, topics: Sequence[TopicSpec], deadline: float) -> int:
    left = max(1.0, deadline - time.monotonic())
    wanted = [NewTopic(topic.name, topic.partitions, _AS_THE_BROKER_HAS_IT, config=dict(topic.config)) for topic in topics]
    made = 0
    for name, answer in admin.create_topics(wanted, operation_timeout=left, request_timeout=left).items():
        try:
            answer.result()
            made += 1
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise StackError(f"Kafka does not make the topic {name}: {reason.str()}") from error
    return made


def _wait_until_ready(admin: AdminClient, topics: Sequence[TopicSpec], deadline: float) -> None:
    """A new topic shows in the metadata before its leader takes part: only an answer of the leader proves it."""
    waiting = {(topic.name, number) for topic in topics for number in range(topic.partitions)}
    while waiting:
        # The client asks leaders that it knows of, and for long does not ask again for a topic that it once learned does not exist.
        known = admin.list_topics(timeout=_REQUEST_S).topics
        earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(name, number): earliest for name, number in waiting if name in known}
        reason = "not in the broker's metadata yet"
        if asked:
            answers = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_REQUEST_S)
            for partition, answer in answers.items():
                try:
                    answer.result()
                    waiting.discard((partition.topic, partition.partition))
                except KafkaException as error:
                    reason = error.args[0].str()
        if waiting:
            if time.monotonic() > deadline:
                name = next(iter(waiting))[0]
                raise StackError(f"{len(waiting)} new partitions can't be written to yet, such as {name}: {reason}")
            admin.poll(_BETWEEN_LOOKS_S)
