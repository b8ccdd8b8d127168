"""A service's database in memory, behind the port of `delivery_tables`. Its state is plain to see, and a backup is a copy."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from tuntas_chassis.messaging.answered import Answered, last_of_each
from tuntas_chassis.messaging.dead_letter_access import DeadLetterAccess
from tuntas_chassis.messaging.dead_letters import DeadLetter, FirstDeadLetter, OpenDeadLetter, ParkedMessage
from tuntas_chassis.messaging.inbox import HANDLED, TopicPartition
from tuntas_chassis.messaging.memory.dead_letters import MemoryDeadLetters
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.subscription import Record, Store

S = TypeVar("S")


class Unsent(NamedTuple):
    """A row of the outbox."""

    id: int
    topic: str
    key: str
    message_id: UUID
    type: str
    time: datetime
    traceparent: str
    value: bytes


@dataclass
class Tables:
    """All that is kept. States are kept by their store and key, further rows in the order in which they were saved."""

    states: dict[object, dict[str, Any]] = field(default_factory=dict)
    rows: list[object] = field(default_factory=list)
    outbox: list[Unsent] = field(default_factory=list)
    inbox: set[tuple[str, UUID]] = field(default_factory=set)
    positions: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)
    answered: dict[tuple[str, TopicPartition], Answered] = field(default_factory=dict)
    held: dict[tuple[str, str, int, int], tuple[Record, UUID]] = field(default_factory=dict)
    dead_letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)

    def copy(self) -> "Tables":
        """The same, apart from what happens to this one."""
        copied = Tables(**{f.name: getattr(self, f.name).copy() for f in fields(self)})
        copied.states = {store: states.copy() for store, states in self.states.items()}
        return copied

    def handled(self) -> set[UUID]:
        """The inputs and commands that were answered."""
        return {one for consumer, one in self.inbox if consumer == HANDLED}


@dataclass
class MemoryDatabase:
    """`DeliveryTables` in memory. `check` may raise ValueError for a state or row that a real table would refuse."""

    tables: Tables = field(default_factory=Tables)
    check: Callable[[object], None] = lambda _row: None
    last_id: int = 0
    _open: bool = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["MemoryTransaction"]:
        """A transaction. One at a time: nothing in memory has to wait, so a second one at once is a fault of the test."""
        if self._open:
            raise RuntimeError("a transaction is open: in memory there is one at a time")
        self._open = True
        try:
            transaction = MemoryTransaction(self, self.tables.copy())
            yield transaction
            self.tables = transaction.tables
        finally:
            self._open = False

    def begin_now(self) -> AbstractAsyncContextManager["MemoryTransaction"]:
        """The same."""
        return self.begin()

    def next_id(self) -> int:
        """The outbox's sequence: like PostgreSQL's it takes nothing back."""
        self.last_id += 1
        return self.last_id


class MemoryTransaction:
    """`DeliveryTransaction` on a copy of the tables, which takes their place at the commit."""

    def __init__(self, database: MemoryDatabase, tables: Tables) -> None:
        self._database = database
        self.tables = tables

    async def load(self, store: Store[S], keys: Sequence[str]) -> dict[str, S]:
        """The states of these keys."""
        states = self.tables.states.get(store, {})
        return {key: states[key] for key in keys if key in states}

    async def save(self, store: Store[S], changed: Mapping[str, S], rows: Sequence[object]) -> None:
        """Keep states and rows; raises what `check` raises."""
        for one in (*changed.values(), *rows):
            self._database.check(one)
        self.tables.states.setdefault(store, {}).update(changed)
        self.tables.rows.extend(rows)

    async def publish(self, outbox: Outbox, outgoing: Sequence[Outgoing], traceparents: Sequence[str]) -> None:
        """Append to the outbox."""
        c = outbox.columns(outgoing, traceparents=traceparents)
        for row in zip(c["topics"], c["keys"], c["ids"], c["types"], c["times"], c["parents"], c["contents"], strict=True):
            self.tables.outbox.append(Unsent(self._database.next_id(), *row))

    async def last_unsent(self, topics: Sequence[str]) -> int | None:
        """The outbox's highest id for these topics."""
        return max((row.id for row in self.tables.outbox if row.topic in topics), default=None)

    async def is_unsent(self, topics: Sequence[str], last: int) -> bool:
        """Whether something for these topics waits up to `last`."""
        return any(row.topic in topics and row.id <= last for row in self.tables.outbox)

    async def remember(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        """Remember these; returns those that were new."""
        new = {one for one in ids if (consumer, one) not in self.tables.inbox}
        self.tables.inbox.update((consumer, one) for one in new)
        return new

    async def remember_handled(self, ids: Sequence[UUID]) -> set[UUID]:
        """Remember inputs or commands."""
        return await self.remember(HANDLED, ids)

    async def forget_handled(self, ids: Sequence[UUID]) -> None:
        """Take that back."""
        self.tables.inbox.difference_update((HANDLED, one) for one in ids)

    async def known_handled(self, ids: Sequence[UUID]) -> set[UUID]:
        """Which of these are remembered."""
        return {one for one in ids if (HANDLED, one) in self.tables.inbox}

    async def read_positions(self, consumer: str) -> dict[TopicPartition, int]:
        """Every position of this consumer."""
        return {partition: at for (name, partition), at in self.tables.positions.items() if name == consumer}

    async def lock_positions(self, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Those of these partitions."""
        return {p: self.tables.positions[consumer, p] for p in partitions if (consumer, p) in self.tables.positions}

    async def advance_positions(self, consumer: str, positions: Mapping[TopicPartition, int]) -> None:
        """Move forward, never back."""
        for partition, at in positions.items():
            self.tables.positions[consumer, partition] = max(at, self.tables.positions.get((consumer, partition), at))

    async def read_answered(self, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Answered]:
        """How far these partitions were answered."""
        return {p: self.tables.answered[consumer, p] for p in partitions if (consumer, p) in self.tables.answered}

    async def write_answered(self, consumer: str, records: Sequence[Record]) -> None:
        """These are answered."""
        self.tables.answered.update(((consumer, p), last) for p, last in last_of_each(records).items())

    async def hold(self, consumer: str, inputs: Sequence[tuple[Record, UUID]]) -> None:
        """Keep these records with their input ids."""
        for record, input_id in inputs:
            self.tables.held.setdefault(_place(consumer, record), (record, input_id))

    async def forget_answered(self, consumer: str, input_ids: Collection[UUID]) -> None:
        """These need no more to be held."""
        for place in [p for p, (_, one) in self.tables.held.items() if p[0] == consumer and one in input_ids]:
            del self.tables.held[place]

    async def take_held(self, consumer: str, partitions: Sequence[TopicPartition], limit: int) -> list[Record]:
        """Take away what is held of these partitions, in order."""
        places = sorted(p for p in self.tables.held if p[0] == consumer and (p[1], p[2]) in partitions)
        return [self.tables.held.pop(place)[0] for place in places[:limit]]

    async def drop_held(self, consumer: str, records: Sequence[Record]) -> set[tuple[str, int, int]]:
        """Take these away; returns the places of those that were there."""
        places = [_place(consumer, record) for record in records]
        return {place[1:] for place in places if self.tables.held.pop(place, None) is not None}

    async def holds_any(self, consumer: str) -> bool:
        """Whether anything is held."""
        return any(place[0] == consumer for place in self.tables.held)

    async def add_dead_letters(self, consumer: str, letters: Sequence[DeadLetter]) -> None:
        """Keep these; one that is there already stays as it is."""
        self.tables.dead_letters.add(consumer, letters)

    async def blocked_keys(self, consumer: str, keys: Sequence[str]) -> dict[str, FirstDeadLetter]:
        """Where the first dead letter of each of these keys is."""
        return self.tables.dead_letters.blocked(consumer, keys)

    async def list_dead_letters(self, after: UUID, limit: int, *, key: str | None, resolved: bool) -> list[ParkedMessage]:
        """A page of them."""
        return self.tables.dead_letters.list(after, limit, key, resolved=resolved)

    async def find_dead_letter(self, letter_id: UUID) -> OpenDeadLetter | None:
        """One of them."""
        return self.tables.dead_letters.find(letter_id)

    async def lock_dead_letters(self, ids: Sequence[UUID]) -> dict[UUID, OpenDeadLetter]:
        """These."""
        return {one: found for one in ids if (found := self.tables.dead_letters.find(one)) is not None}

    async def lock_dead_letters_of(self, consumer: str, key: str) -> list[OpenDeadLetter]:
        """Everything of a key that waits, in order."""
        return self.tables.dead_letters.waiting(consumer, key)

    async def resolve_dead_letter(self, letter_id: UUID, state: str, by: str, why: str | None) -> None:
        """It was replayed or discarded."""
        self.tables.dead_letters.change(letter_id, state=state, settled_at=datetime.now(UTC), settled_by=by, settled_why=why)

    async def failed_again(self, letter_id: UUID, fault: Exception) -> None:
        """A replay did not help."""
        self.tables.dead_letters.fail(letter_id, fault)

    async def log_access(self, letter: OpenDeadLetter, subject: str, reason: str) -> None:
        """Its content was read."""
        self.tables.dead_letters.log_access(letter, subject, reason)

    async def list_accesses(self, after: UUID, limit: int) -> list[DeadLetterAccess]:
        """Those accesses."""
        return [one for one in self.tables.dead_letters.accesses if one.id > after][:limit]

    @asynccontextmanager
    async def nested(self) -> AsyncIterator[None]:
        """A savepoint."""
        before = self.tables.copy()
        try:
            yield
        except BaseException:
            self.tables = before
            raise


def _place(consumer: str, record: Record) -> tuple[str, str, int, int]:
    return consumer, record.topic, record.partition, record.offset
