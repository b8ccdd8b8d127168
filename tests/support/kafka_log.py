"""Every record of every topic of a stack, as bytes: what an eavesdropper with all rights would see."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is there, its stubs are not

from tuntas_contracts.envelope import TYPE_PREFIX
from tuntas_contracts.topology import TOPICS, WATERMARKS

_AT_ONCE = 5_000
_QUIET_S = 30.0
_SLICE_S = 0.05


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """One record. `kind` is its CloudEvents type without the prefix, empty where it has none."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
    timestamp_ms: int

    @property
    def kind(self) -> str:
        """The message type."""
        return self.header("ce_type").removeprefix(TYPE_PREFIX)

    def header(self, name: str) -> str:
        """A header as text, empty where it is not there."""
        return next((value.decode(errors="replace") for header, value in self.headers if header == name), "")

    @property
    def body(self) -> dict[str, Any]:
        """The value as JSON."""
        found: dict[str, Any] = json.loads(self.value or b"{}")
        return found

    @property
    def text(self) -> str:
        """All that could be read in it: key, headers and value, undecodable bytes replaced, JSON escapes undone."""
        parts = [self.key or b"", *(name.encode() + b": " + value for name, value in self.headers), self.value or b""]
        return "\n".join((*(part.decode(errors="replace") for part in parts), _unescaped(self.value)))


def _unescaped(value: bytes | None) -> str:
    try:
        return json.dumps(json.loads(value or b"null"), ensure_ascii=False)
    except ValueError:
        return ""


class KafkaLog:
    """Reads what is new on all of the platform's topics, and keeps it. Not asynchronous; `bootstrap` is host:port.

    `client` holds further settings of the Kafka client: a user with all rights.
    """

    def __init__(self, bootstrap: str, client: Mapping[str, str]) -> None:
        self.records: list[TopicRecord] = []
        self._by_key: dict[str, list[TopicRecord]] = defaultdict(list)
        self._positions: dict[tuple[str, int], int] = {}
        self._families = [re.compile(topic.pattern) for topic in TOPICS if topic is not WATERMARKS]  # they come all the time
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **client})
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tests",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "log_level": 0,
                **client,
            }
        )

    def ends(self) -> dict[tuple[str, int], int]:
        """The next offset of each partition of the platform's topics."""
        topics = self._admin.list_topics(timeout=_QUIET_S).topics
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {
            TopicPartition(name, number): latest
            for name, topic in topics.items()
            if any(family.match(name) for family in self._families)
            for number in topic.partitions
        }
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_QUIET_S)
        return {(p.topic, p.partition): answer.result().offset for p, answer in answers.items()}

    def refresh(self) -> Sequence[TopicRecord]:
        """Read on to the present ends of the topics; everything read so far, in order within a partition."""
        ends = self.ends()
        waiting = {p for p, end in ends.items() if self._positions.get(p, 0) < end}
        self._consumer.assign([TopicPartition(t, p, self._positions.get((t, p), 0)) for t, p in waiting])
        heard_at = monotonic()
        while waiting:
            # a call lasts until it is full or its time is over, however much came: it gets little time
            messages = self._consumer.consume(_AT_ONCE, _SLICE_S)
            if messages:
                heard_at = monotonic()
            elif monotonic() - heard_at > _QUIET_S:
                raise KafkaException(f"nothing came for {_QUIET_S:.0f} s while {len(waiting)} partitions are unread")
            for message in messages:
                record = _record(message)
                place = (record.topic, record.partition)
                self._positions[place] = record.offset + 1
                if record.offset + 1 >= ends[place]:
                    waiting.discard(place)
                self.records.append(record)
                self._by_key[(record.key or b"").decode(errors="replace")].append(record)
        return self.records

    def of_key(self, key: object, topic: str, *kinds: str) -> list[TopicRecord]:
        """What was read of one key on one topic, in the order of the topic; only these kinds where some are named."""
        return [r for r in self._by_key[str(key)] if r.topic == topic and (not kinds or r.kind in kinds)]

    def where(self, condition: Callable[[TopicRecord], bool]) -> Iterable[TopicRecord]:
        """What was read and fulfils a condition."""
        return (record for record in self.records if condition(record))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _record(message: Message) -> TopicRecord:
    if message.error() is not None:
        raise KafkaException(message.error())
    headers = tuple((h[0], h[1] if isinstance(h[1], bytes) else str(h[1] or "").encode()) for h in message.headers() or [])
    key, value = message.key(), message.value()
    return TopicRecord(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        key=key.encode() if isinstance(key, str) else key,
        headers=headers,
        value=value.encode() if isinstance(value, str) else value,
        timestamp_ms=message.timestamp()[1],
    )
