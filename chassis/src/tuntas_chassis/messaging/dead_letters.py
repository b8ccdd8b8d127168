"""The dead-letter queue: what could not be read or handled waits here, raw and with the reason, and its key's later messages behind it."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.decoding import Undecodable
from tuntas_chassis.messaging.inbox import TopicPartition
from tuntas_chassis.messaging.masked_message import without_content
from tuntas_chassis.messaging.raw_records import columns_of, record_of
from tuntas_chassis.messaging.subscription import Record

_LONGEST_KEY = 200
_COLUMNS = {"resolved_at": "settled_at", "resolved_by": "settled_by", "resolution_reason": "settled_why"}
"""Fields whose column in the table has another name."""
_LOCK_SEED = 0x7061726B  # "park": apart from other advisory locks
_SKEW_MS = 60_000  # producers' clocks set a record's time
_PARK = text(
    'INSERT INTO parked_message (id, consumer, topic, partition, "offset", key, raw_key, value, headers, timestamp_ms, '
    "error_type, error, state, catching_up) VALUES (:id, :consumer, :topic, :partition, :offset, :key, :raw_key, :value, :headers, "
    ":timestamp_ms, :error_type, :error, :state, :catching_up) ON CONFLICT DO NOTHING"
)
_BLOCKED = text(
    'SELECT DISTINCT ON (key) key, topic, partition, "offset", timestamp_ms FROM parked_message WHERE consumer = :consumer '
    "AND state IN ('parked', 'waiting') AND key = ANY(CAST(:keys AS text[])) ORDER BY key, topic, partition, \"offset\""
)
_OPEN_OF_KEY = text(
    "SELECT * FROM parked_message WHERE consumer = :consumer AND state IN ('parked', 'waiting') AND key = :key "
    'ORDER BY topic, partition, "offset" FOR UPDATE'
)
_ONE_OPERATOR = text("SELECT pg_advisory_xact_lock(hashtextextended(:consumer || ' ' || :key, :seed))")
_ONE = text("SELECT * FROM parked_message WHERE id = :id")
_LOCK = text("SELECT * FROM parked_message WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")
_PURGE = text(
    "DELETE FROM parked_message WHERE id = ANY(ARRAY(SELECT id FROM parked_message WHERE state IN ('replayed', 'discarded') "
    "AND settled_at < now() - make_interval(days => :days) LIMIT :most))"
)
_RESOLVE = text("UPDATE parked_message SET state = :state, settled_at = now(), settled_by = :by, settled_why = :why WHERE id = :id")
_FAILED_AGAIN = text(
    "UPDATE parked_message SET attempts = attempts + 1, error_type = :error_type, error = :error, state = 'parked' WHERE id = :id"
)
_SHOWN = (
    'SELECT id, consumer, topic, partition, "offset", key, error_type, error, attempts, state, parked_at, length(value) AS bytes, '
    "settled_at AS resolved_at, settled_by AS resolved_by, settled_why AS resolution_reason FROM parked_message "
    "WHERE (CAST(:key AS text) IS NULL OR key = :key) "
)
_OPEN = text(_SHOWN + "AND state IN ('parked', 'waiting') AND id > :after ORDER BY id LIMIT :limit")
_RESOLVED = text(_SHOWN + "AND state IN ('replayed', 'discarded') AND id > :after ORDER BY id LIMIT :limit")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record to keep as a dead letter. `waiting`: it is sound itself but is behind a parked one of its key.

    `catching_up`: it was on the topic before this process began to read it, so own events may follow it that the database has lost.
    """

    record: Record
    key: str | None
    fault: Exception | None
    catching_up: bool = False

    @property
    def waiting(self) -> bool:
        """Whether it only waits."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A parked message as an operator sees it in a list; never its content."""

    id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    key: str | None
    error_type: str
    error: str
    attempts: int
    state: str
    parked_at: datetime
    bytes: int | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution_reason: str | None


async def park(connection: AsyncConnection, consumer: str, dead_letters: Sequence[DeadLetter]) -> None:
    """Keep records as dead letters; one that is read again, from the same log, is there already."""
    await connection.execute(_PARK, [columns_of_letter(consumer, p) for p in dead_letters])


def columns_of_letter(consumer: str, dead_letter: DeadLetter) -> dict[str, object]:
    """The columns of a new dead letter that the table does not fill in itself."""
    fault = dead_letter.fault
    return {
        **columns_of(dead_letter.record),
        "id": new_id(),
        "consumer": consumer,
        "key": stored_key(dead_letter.key) if dead_letter.key else None,
        "error_type": type(fault).__name__ if fault else "Waiting",
        "error": fault_text(fault) if fault else "waits behind a parked message of the same key",
        "state": "waiting" if dead_letter.waiting else "parked",
        "catching_up": dead_letter.catching_up,
    }


@dataclass(frozen=True, slots=True)
class FirstDeadLetter:
    """Where the first parked message of a key is."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    @classmethod
    def of(cls, record: Record) -> "FirstDeadLetter":
        """The place of a record."""
        return cls(record.topic, record.partition, record.offset, record.timestamp)

    def is_behind(self, record: Record) -> bool:
        """Whether the record comes before it: read again, it need not wait. A topic that was recreated is known by its times."""
        same_log = (record.topic, record.partition) == (self.topic, self.partition)
        return same_log and record.offset < self.offset and record.timestamp <= self.timestamp_ms + _SKEW_MS


async def blocked_keys(connection: AsyncConnection, consumer: str, keys: Sequence[str]) -> dict[str, FirstDeadLetter]:
    """Which of these keys have dead letters, and where the first of them is."""
    stored = {key: stored_key(key) for key in keys}
    rows = await connection.execute(_BLOCKED, {"consumer": consumer, "keys": list(stored.values())})
    blocked = {row.key: FirstDeadLetter(row.topic, row.partition, row.offset, row.timestamp_ms) for row in rows}
    return {key: blocked[name] for key, name in stored.items() if name in blocked}


def fault_text(fault: Exception) -> str:
    """What a fault says, as a table or an answer can hold it, without what the message held."""
    text = str(fault) if isinstance(fault, Undecodable) else without_content(str(fault))
    return _clean(text[:2_000])


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def stored_key(key: str) -> str:
    """The key as it is in the table, which takes no NUL and indexes only short texts."""
    clean = _clean(key)
    return clean if len(clean) <= _LONGEST_KEY else f"{clean[:_LONGEST_KEY]}… {blake2b(key.encode(), digest_size=16).hexdigest()}"


async def list_parked(
    connection: AsyncConnection, after: UUID, limit: int, *, key: str | None = None, resolved: bool = False
) -> list[ParkedMessage]:
    """What waits, or what was replayed and discarded; of one key where one is given; oldest first, behind the id `after`."""
    values = {"after": after, "limit": limit, "key": None if key is None else stored_key(key)}
    rows = await connection.execute(_RESOLVED if resolved else _OPEN, values)
    return [ParkedMessage(**row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class OpenDeadLetter:
    """A parked record put together again."""

    id: UUID
    consumer: str
    key: str | None
    state: str
    record: Record
    listed: ParkedMessage
    catching_up: bool


async def find_parked(connection: AsyncConnection, message_id: UUID) -> OpenDeadLetter | None:
    """One parked message, whatever its state."""
    row = (await connection.execute(_ONE, {"id": message_id})).mappings().first()
    return letter_of(dict(row)) if row else None


async def lock_parked(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, OpenDeadLetter]:
    """These messages as they are now, whatever their state, locked until the transaction's end."""
    rows = await connection.execute(_LOCK, {"ids": list(ids)})
    return {message.id: message for message in (letter_of(dict(row)) for row in rows.mappings())}


async def purge_resolved(connection: AsyncConnection, days: int, most: int) -> int:
    """Delete what was replayed or discarded more than `days` ago, `most` at once; how many went."""
    return (await connection.execute(_PURGE, {"days": days, "most": most})).rowcount


async def lock_parked_key(connection: AsyncConnection, consumer: str, key: str) -> list[OpenDeadLetter]:
    """Everything of a key that waits, in the order of the topic, locked.

    The key itself is locked first, until the transaction's end. Rows alone are not enough: a statement that began before another
    operator's commit also locks what is resolved since, so two operators could lock the same rows in different orders.
    """
    await connection.execute(_ONE_OPERATOR, {"consumer": consumer, "key": key, "seed": _LOCK_SEED})
    rows = await connection.execute(_OPEN_OF_KEY, {"consumer": consumer, "key": key})
    return in_topic_order([letter_of(dict(row)) for row in rows.mappings()])


def in_topic_order(waiting: list[OpenDeadLetter]) -> list[OpenDeadLetter]:
    """In the order of offsets; in that of times where the topic was recreated: it has lower offsets at later times."""
    recreated = any(
        (a.record.topic, a.record.partition) == (b.record.topic, b.record.partition) and a.record.timestamp > b.record.timestamp + _SKEW_MS
        for a, b in pairwise(waiting)
    )
    return sorted(waiting, key=lambda m: (m.record.timestamp, m.record.offset)) if recreated else waiting


def letter_of(row: Mapping[str, object]) -> OpenDeadLetter:
    """The dead letter of such a row."""
    record = record_of(row)
    shown: dict[str, Any] = {name: row[_COLUMNS.get(name, name)] for name in ParkedMessage.__slots__ if name != "bytes"}
    listed = ParkedMessage(**shown, bytes=_length(record.value))
    return OpenDeadLetter(listed.id, listed.consumer, listed.key, listed.state, record, listed, bool(row["catching_up"]))


def _length(value: bytes | None) -> int | None:
    return None if value is None else len(value)


async def resolve(connection: AsyncConnection, message_id: UUID, state: str, by: str, why: str | None) -> None:
    """Mark a parked message as `replayed` or `discarded`: by whom, and why where that was said."""
    await connection.execute(_RESOLVE, {"id": message_id, "state": state, "by": by, "why": why})


async def failed_again(connection: AsyncConnection, message_id: UUID, fault: Exception) -> None:
    """A replay did not help: keep the new reason and count the attempt."""
    await connection.execute(_FAILED_AGAIN, {"id": message_id, "error_type": type(fault).__name__, "error": fault_text(fault)})


class DeadLetterLimit:
    """Counts what each partition parks in a minute; beyond the limit the partition is to be halted."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._times: dict[TopicPartition, deque[float]] = {}
        self.halted: set[TopicPartition] = set()

    def count(self, partition: TopicPartition, number: int) -> bool:
        """Count parked messages; True where this halts the partition."""
        times = self._times.setdefault(partition, deque())
        now = monotonic()
        times.extend([now] * number)
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) > self._per_minute and partition not in self.halted:
            self.halted.add(partition)
            return True
        return False

    def resume(self) -> set[TopicPartition]:
        """Resume every halted partition; returns them."""
        resumed, self.halted = self.halted, set()
        self._times.clear()
        return resumed
