"""Reads the topics from where the last round ended, and the databases as they are."""

import json
import re
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
from confluent_kafka import Consumer, IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is there, its stubs are not

from tuntas_contracts.base import CaseEvent
from tuntas_contracts.envelope import TYPE_PREFIX
from tuntas_contracts.topology import AGENCY_CASES, CASES
from tuntas_operations.errors import Unreachable
from tuntas_operations.reconciliation.ledger import Delivery, Holding, TopicEvent
from tuntas_operations.rights import RECONCILE_GROUP

_OWNER_EVENTS = {kind.__name__ for kind in CASES.messages() if issubclass(kind, CaseEvent)}
_PREFIX = TYPE_PREFIX.encode()
_AT_ONCE = 5_000
_LOOK_S = 0.1
_QUIET_S = 15.0


class TopicReader:
    """Reads the cases topic and all agencies' cases topics, each record once over all rounds.

    `unreadable` counts what is none of our messages although it says so: services park it, and nothing here follows from it.
    """

    def __init__(self, bootstrap: str, client: Mapping[str, str] | None = None) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": RECONCILE_GROUP,
                "enable.auto.commit": False,
                "log_level": 0,
                "fetch.wait.max.ms": 50,
                **(client or {}),
            }
        )
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **(client or {})})
        self._positions: dict[tuple[str, int], int] = {}
        self.unreadable = 0

    def read(self) -> Iterator[TopicEvent | Delivery]:
        """Everything up to the ends of the topics as they are now.

        Raises:
            Unreachable: the broker does not answer.
        """
        try:
            ends = self._ends()
        except KafkaException as error:
            raise Unreachable(f"Kafka does not answer: {error.args[0].str()}") from error
        waiting = {p for p, end in ends.items() if self._positions.get(p, 0) < end}
        self._consumer.assign([TopicPartition(t, p, self._positions.get((t, p), 0)) for t, p in waiting])
        heard_at = monotonic()
        while waiting:
            # it waits out its whole time unless it gets as many as it was asked for
            messages = self._consumer.consume(_AT_ONCE, _LOOK_S)
            if messages:
                heard_at = monotonic()
            elif monotonic() - heard_at > _QUIET_S:
                raise Unreachable(f"Kafka gave nothing for {_QUIET_S:.0f} s while {len(waiting)} partitions are unread")
            for message in messages:
                if message.error() is not None:
                    raise Unreachable(f"Kafka can't be read: {message.error()}")
                topic, partition, offset = message.topic(), message.partition(), message.offset()
                if topic is None or partition is None or offset is None:
                    continue
                self._positions[topic, partition] = offset + 1
                if offset + 1 >= ends[topic, partition]:
                    waiting.discard((topic, partition))
                try:
                    fact = _fact(topic, message)
                except (ValueError, KeyError, TypeError, AttributeError):
                    self.unreadable += 1
                    continue
                if fact is not None:
                    yield fact

    def _ends(self) -> dict[tuple[str, int], int]:
        """The next offset of each partition, for all topics in one request."""
        family = re.compile(AGENCY_CASES.pattern)
        topics = self._admin.list_topics(timeout=_QUIET_S).topics
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {
            TopicPartition(name, number): latest
            for name, topic in topics.items()
            if name == CASES.name or family.match(name)
            for number in topic.partitions
        }
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_QUIET_S)
        return {(p.topic, p.partition): answer.result().offset for p, answer in answers.items()}

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _fact(topic: str, message: Message) -> TopicEvent | Delivery | None:
    headers = {header[0]: bytes(header[1] or b"") for header in message.headers() or [] if not isinstance(header[1], str)}
    kind = headers.get("ce_type", b"").removeprefix(_PREFIX).decode(errors="replace")
    if topic == CASES.name and kind not in _OWNER_EVENTS:
        return None
    if topic != CASES.name and kind != "CaseAssigned":
        return None
    value: dict[str, Any] = json.loads(message.value() or b"{}")
    message_id = UUID(headers["ce_id"].decode())
    if not isinstance(value["version"], int):
        raise TypeError("a version that is no number")
    if topic != CASES.name:
        return Delivery(UUID(value["case_id"]), message_id, value["version"], AGENCY_CASES.agency_of(topic))
    return TopicEvent(
        case_id=UUID(value["case_id"]),
        message_id=message_id,
        kind=kind,
        version=value["version"],
        owner=value["owner"],
        agency=value.get("agency"),
        appended_s=message.timestamp()[1] / 1000,
    )


async def read_accepted(url: str) -> dict[UUID, float]:
    """Every report in intake's database. When it was written is read from its id, which is a UUIDv7 of real time."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT case_id FROM report")
    finally:
        await connection.close()
    return {row["case_id"]: (row["case_id"].int >> 80) / 1000 for row in rows}


async def read_holdings(url: str, table: str, key: str) -> dict[UUID, Holding]:
    """Every case in a service's database."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(f'SELECT {key} AS id, version, state, owner FROM "{table}"')  # noqa: S608  (names of our own)
    finally:
        await connection.close()
    return {row["id"]: Holding(row["version"], row["state"], row["owner"]) for row in rows}
