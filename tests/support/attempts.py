"""What the broker itself answers a user who tries to read, to write, to join a group: `granted`, or the name of its error."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tuntas_operations.credentials import Credentials

GRANTED = "granted"
TOPIC_REFUSED = "TOPIC_AUTHORIZATION_FAILED"
GROUP_REFUSED = "GROUP_AUTHORIZATION_FAILED"
CLUSTER_REFUSED = "CLUSTER_AUTHORIZATION_FAILED"
_WITHIN_S = 30.0
# More than a topic takes, less than the client does: the broker says so after the check of rights, and nothing is written.
_TOO_LARGE = b"x" * 1_200_000


class Attempts:
    """One user's attempts at one broker."""

    def __init__(self, bootstrap: str, user: Credentials) -> None:
        self._bootstrap = bootstrap
        self._user = user
        self._settings: dict[str, Any] = {"bootstrap.servers": bootstrap, "log_level": 0, **user.librdkafka()}
        self.admin = AdminClient(self._settings)

    async def read(self, topics: Iterable[str]) -> dict[str, str]:
        """Fetch from the first partition of each topic.

        In a bare request: a consumer would not even ask about topics that it is not shown.
        """
        client = AIOKafkaClient(bootstrap_servers=self._bootstrap, **self._user.aiokafka())
        await client.bootstrap()
        try:
            [broker] = client.cluster.brokers()
            request = FetchRequest(0, 0, 1_000_000, 0, [(topic, [(0, 0, 1_000)]) for topic in topics])
            response = await client.send(broker.nodeId, request)
        finally:
            await client.close()
        return {topic: GRANTED if code == 0 else KafkaError(code).name() for topic, [(_, code, *_rest)] in response.topics}

    def write(self, topics: Iterable[str]) -> dict[str, str]:
        """Produce a record to each topic that is too large for it, so that nothing is written even by who may write."""
        producer = Producer({**self._settings, "message.max.bytes": 2 * len(_TOO_LARGE), "linger.ms": 0, "retries": 0})
        answers: dict[str, str] = {}

        def reporter_of(topic: str) -> Callable[[KafkaError | None, Message], None]:
            def keep(error: KafkaError | None, _: Message) -> None:
                name = GRANTED if error is None else error.name()
                answers[topic] = GRANTED if name == "MSG_SIZE_TOO_LARGE" else name

            return keep

        for topic in topics:
            # what the broker said of a topic by the time of the call is raised, what it says later is reported
            refused = refusal(lambda topic=topic: producer.produce(topic, _TOO_LARGE, partition=0, on_delivery=reporter_of(topic)))  # type: ignore[misc]
            if refused != GRANTED:
                answers[topic] = refused
        assert producer.flush(_WITHIN_S) == 0, "no answer about a record"
        return answers

    def join(self, groups: Sequence[str], topic: str) -> dict[str, str]:
        """Join each group to read a topic, and leave it."""
        answers: dict[str, str] = {}
        consumers = {group: Consumer({**self._settings, "group.id": group, "enable.auto.commit": False}) for group in groups}

        def assigned(group: str) -> Callable[[Consumer, list[TopicPartition]], None]:
            def keep(_: Consumer, __: list[TopicPartition]) -> None:
                answers[group] = GRANTED

            return keep

        deadline = time.monotonic() + _WITHIN_S
        try:
            for group, consumer in consumers.items():
                consumer.subscribe([topic], on_assign=assigned(group))
            while waiting := consumers.keys() - answers.keys():
                assert time.monotonic() < deadline, f"no answer about the groups {waiting}"
                for group in waiting:
                    message = consumers[group].poll(0.02)
                    error = None if message is None else message.error()
                    if error is not None and error.name() == GROUP_REFUSED:
                        answers[group] = GROUP_REFUSED
        finally:
            for consumer in consumers.values():
                consumer.close()
        return answers


def refusal(answer: Callable[[], object]) -> str:
    """The name of the broker's error, `granted` if there is none."""
    try:
        answer()
    except KafkaException as error:
        reason: KafkaError = error.args[0]
        return reason.name()
    return GRANTED


def connection_faults(bootstrap: str, settings: Mapping[str, str]) -> set[str]:
    """The names of the errors that a client meets in connecting; none if it is admitted."""
    faults: set[str] = set()
    callback: dict[str, Any] = {"error_cb": lambda error: faults.add(error.name())}
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **settings, **callback})
    deadline = time.monotonic() + _WITHIN_S
    while not faults and time.monotonic() < deadline:
        if refusal(lambda: admin.list_topics(timeout=0.5)) == GRANTED:
            return set()
        admin.poll(0)
    assert faults, "neither admitted nor refused"
    return faults
