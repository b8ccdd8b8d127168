"""Everything on the topics, read by a plain consumer: headers as they are, values as plain JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupState, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is there, its stubs are not

CASES, SLA, NOTICES = "tuntas.cases.v1", "tuntas.sla.v1", "tuntas.notices.v1"
AGENCY_CASES, AGENCY_ACTIONS = "tuntas.agency-cases.", "tuntas.agency-actions."
_PREFIX = "tuntas."
_WATERMARKS = "tuntas.watermarks.v1"  # they come all the time, and change nothing
_GROUP = "drills"
_WITHIN_S = 30.0

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `type` is the CloudEvents type without its prefix, `body` the value where it is a JSON object."""

    topic: str
    partition: int
    offset: int
    key: str
    type: str
    id: str
    source: str
    body: Mapping[str, Any]
    appended_ms: int


def agency_topic(code: str) -> str:
    """The topic of one agency's cases."""
    return f"{AGENCY_CASES}{code}.v1"


def actions_topic(code: str) -> str:
    """The topic of one agency's commands."""
    return f"{AGENCY_ACTIONS}{code}.v1"


class TopicLog:
    """Reads on and on. Not asynchronous, not thread-safe; `client` are settings of a user with all rights."""

    def __init__(self, bootstrap: str, client: Mapping[str, str]) -> None:
        settings: dict[str, Any] = {"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 500, **client}
        self.records: list[Record] = []
        self._positions: dict[Place, int] = {}
        self._admin = AdminClient(settings)
        self._settings = {**settings, "group.id": _GROUP, "enable.auto.commit": False, "fetch.wait.max.ms": 20}
        self._consumer = Consumer(self._settings)

    def ends(self, prefix: str = _PREFIX) -> dict[Place, int]:
        """The next offset of each partition of the topics that begin so. Raises KafkaException."""
        topics = self._admin.list_topics(timeout=_WITHIN_S).topics
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {
            TopicPartition(name, number): latest
            for name, topic in topics.items()
            if name.startswith(prefix) and name != _WATERMARKS
            for number in topic.partitions
        }
        if not asked:
            return {}
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_WITHIN_S)
        return {(partition.topic, partition.partition): answer.result().offset for partition, answer in answers.items()}

    def read(self, prefix: str = _PREFIX) -> Sequence[Record]:
        """Read on to the present ends of these topics; gives what is new.

        What agencies write is left out: they may choose header names that are no UTF-8, at which this client ends the whole process.

        Raises:
            KafkaException: the broker does not answer.
        """
        ends = {place: end for place, end in self.ends(prefix).items() if not place[0].startswith(AGENCY_ACTIONS)}
        waiting = {place for place, end in ends.items() if self._positions.get(place, 0) < end}
        known, heard_at = len(self.records), monotonic()
        self._consumer.assign([TopicPartition(*place, self._positions.get(place, 0)) for place in waiting])
        while waiting:
            messages = self._consumer.consume(5_000, 0.05)
            if messages:
                heard_at = monotonic()
            elif monotonic() - heard_at > _WITHIN_S:
                raise KafkaException(f"nothing came for {_WITHIN_S:.0f} s of {len(waiting)} partitions that are not read to their end")
            for message in messages:
                if message.error() is not None:
                    continue  # tried again by the client; what never comes ends in the exception above
                record = _record(message)
                self._positions[record.topic, record.partition] = record.offset + 1
                if record.offset + 1 >= ends[record.topic, record.partition]:
                    waiting.discard((record.topic, record.partition))
                self.records.append(record)
        return self.records[known:]

    def read_again(self, topic: str) -> None:
        """This topic was deleted and created again: read it from its beginning.

        The former client would take a leader of the new topic for one that is out of date, if the old one had had several.
        """
        self._positions = {place: position for place, position in self._positions.items() if place[0] != topic}
        self._consumer.close()
        self._consumer = Consumer(self._settings)

    def groups(self) -> dict[str, int]:
        """The members of each group that has some; 0 for a group that is being rebalanced. Raises KafkaException."""
        listed = self._admin.list_consumer_groups(request_timeout=_WITHIN_S).result().valid
        names = [group.group_id for group in listed if group.group_id != _GROUP]
        if not names:
            return {}
        answers = self._admin.describe_consumer_groups(names, request_timeout=_WITHIN_S)
        described = {name: answer.result() for name, answer in answers.items()}
        return {
            name: len(group.members) if group.state is ConsumerGroupState.STABLE else 0
            for name, group in described.items()
            if group.state is not ConsumerGroupState.EMPTY
        }

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _record(message: Any) -> Record:
    headers = {name: value for name, value in message.headers() or [] if isinstance(value, bytes)}

    def text(name: str) -> str:
        return headers.get(name, b"").decode("utf-8", "replace")

    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=_text(message.key()),
        type=text("ce_type").rpartition(".")[2],
        id=text("ce_id"),
        source=text("ce_source"),
        body=_json(message.value()),
        appended_ms=message.timestamp()[1],
    )


def _text(raw: bytes | str | None) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw or ""


def _json(raw: bytes | str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(raw or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def of_type(records: Iterable[Record], topic: str, *types: str) -> list[Record]:
    """The records of a topic that are of one of these types, in the order in which they were read."""
    return [record for record in records if record.topic == topic and (not types or record.type in types)]
