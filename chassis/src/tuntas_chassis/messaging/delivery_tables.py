"""What the delivery core asks of a database: the port, and PostgreSQL behind it. `messaging/memory` has another."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.messaging import answered, dead_letter_access, dead_letters, held, inbox, unsent
from tuntas_chassis.messaging.answered import Answered
from tuntas_chassis.messaging.dead_letter_access import DeadLetterAccess
from tuntas_chassis.messaging.dead_letters import DeadLetter, FirstDeadLetter, OpenDeadLetter, ParkedMessage
from tuntas_chassis.messaging.inbox import TopicPartition
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.subscription import Record, Store
from tuntas_chassis.persistence.database import Database

S = TypeVar("S")


class DeliveryTransaction(Protocol):
    """All that the core reads and writes, in one transaction. What a statement does is said where PostgreSQL's is."""

    async def load(self, store: Store[S], keys: Sequence[str]) -> dict[str, S]: ...
    async def save(self, store: Store[S], changed: Mapping[str, S], rows: Sequence[object]) -> None: ...
    async def publish(self, outbox: Outbox, outgoing: Sequence[Outgoing], traceparents: Sequence[str]) -> None: ...
    async def last_unsent(self, topics: Sequence[str]) -> int | None: ...
    async def is_unsent(self, topics: Sequence[str], last: int) -> bool: ...

    async def remember(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]: ...
    async def remember_handled(self, ids: Sequence[UUID]) -> set[UUID]: ...
    async def forget_handled(self, ids: Sequence[UUID]) -> None: ...
    async def known_handled(self, ids: Sequence[UUID]) -> set[UUID]: ...

    async def read_positions(self, consumer: str) -> dict[TopicPartition, int]: ...
    async def lock_positions(self, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]: ...
    async def advance_positions(self, consumer: str, positions: Mapping[TopicPartition, int]) -> None: ...
    async def read_answered(self, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Answered]: ...
    async def write_answered(self, consumer: str, records: Sequence[Record]) -> None: ...

    async def hold(self, consumer: str, inputs: Sequence[tuple[Record, UUID]]) -> None: ...
    async def forget_answered(self, consumer: str, input_ids: Collection[UUID]) -> None: ...
    async def take_held(self, consumer: str, partitions: Sequence[TopicPartition], limit: int) -> list[Record]: ...
    async def drop_held(self, consumer: str, records: Sequence[Record]) -> set[tuple[str, int, int]]: ...
    async def holds_any(self, consumer: str) -> bool: ...

    async def add_dead_letters(self, consumer: str, letters: Sequence[DeadLetter]) -> None: ...
    async def blocked_keys(self, consumer: str, keys: Sequence[str]) -> dict[str, FirstDeadLetter]: ...
    async def list_dead_letters(self, after: UUID, limit: int, *, key: str | None, resolved: bool) -> list[ParkedMessage]: ...
    async def find_dead_letter(self, letter_id: UUID) -> OpenDeadLetter | None: ...
    async def lock_dead_letters(self, ids: Sequence[UUID]) -> dict[UUID, OpenDeadLetter]: ...
    async def lock_dead_letters_of(self, consumer: str, key: str) -> list[OpenDeadLetter]: ...
    async def resolve_dead_letter(self, letter_id: UUID, state: str, by: str, why: str | None) -> None: ...
    async def failed_again(self, letter_id: UUID, fault: Exception) -> None: ...
    async def log_access(self, letter: OpenDeadLetter, subject: str, reason: str) -> None: ...
    async def list_accesses(self, after: UUID, limit: int) -> list[DeadLetterAccess]: ...

    # a part of it that is undone automatically where the block raises
    def nested(self) -> AbstractAsyncContextManager[object]: ...


class DeliveryTables(Protocol):
    """Where the delivery core keeps what it knows."""

    def begin(self) -> AbstractAsyncContextManager[DeliveryTransaction]:
        """A transaction that commits at the end of the block, or rolls back on an error."""
        ...

    def begin_now(self) -> AbstractAsyncContextManager[DeliveryTransaction]:
        """The same; a time that is read in the block is not before the transaction's begin."""
        ...


@dataclass(frozen=True, slots=True)
class PostgresTables:
    """`DeliveryTables` in a service's own database."""

    database: Database

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresTransaction"]:
        """A transaction on a connection for work."""
        async with self.database.begin() as connection:
            yield PostgresTransaction(connection)

    @asynccontextmanager
    async def begin_now(self) -> AsyncIterator["PostgresTransaction"]:
        """The same, begun with a statement of its own."""
        async with self.database.begin_now() as connection:
            yield PostgresTransaction(connection)


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """`DeliveryTransaction` by one statement each, on `connection`."""

    connection: AsyncConnection

    async def load(self, store: Store[S], keys: Sequence[str]) -> dict[str, S]:
        """Lock and read states, by the store's own statements."""
        return await store.load(self.connection, keys)

    async def save(self, store: Store[S], changed: Mapping[str, S], rows: Sequence[object]) -> None:
        """Write states and further rows, by the store's own statements."""
        await store.save(self.connection, list(changed.values()), rows)

    async def publish(self, outbox: Outbox, outgoing: Sequence[Outgoing], traceparents: Sequence[str]) -> None:
        """Append messages to the outbox; raises MessageTooLarge."""
        await outbox.write(self.connection, outgoing, traceparents=traceparents)

    async def last_unsent(self, topics: Sequence[str]) -> int | None:
        """See `unsent`."""
        return await unsent.last_unsent(self.connection, topics)

    async def is_unsent(self, topics: Sequence[str], last: int) -> bool:
        """See `unsent`."""
        return await unsent.is_unsent(self.connection, topics, last)

    async def remember(self, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
        """See `inbox`."""
        return await inbox.remember(self.connection, consumer, ids)

    async def remember_handled(self, ids: Sequence[UUID]) -> set[UUID]:
        """See `inbox`."""
        return await inbox.remember_handled(self.connection, ids)

    async def forget_handled(self, ids: Sequence[UUID]) -> None:
        """See `inbox`."""
        await inbox.forget_handled(self.connection, ids)

    async def known_handled(self, ids: Sequence[UUID]) -> set[UUID]:
        """See `inbox`."""
        return await inbox.known_handled(self.connection, ids)

    async def read_positions(self, consumer: str) -> dict[TopicPartition, int]:
        """See `inbox`."""
        return await inbox.read_positions(self.connection, consumer)

    async def lock_positions(self, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """See `inbox`."""
        return await inbox.lock_positions(self.connection, consumer, partitions)

    async def advance_positions(self, consumer: str, positions: Mapping[TopicPartition, int]) -> None:
        """See `inbox`."""
        await inbox.advance_positions(self.connection, consumer, positions)

    async def read_answered(self, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Answered]:
        """See `answered`."""
        return await answered.read_answered(self.connection, consumer, partitions)

    async def write_answered(self, consumer: str, records: Sequence[Record]) -> None:
        """See `answered`."""
        await answered.write_answered(self.connection, consumer, records)

    async def hold(self, consumer: str, inputs: Sequence[tuple[Record, UUID]]) -> None:
        """See `held`."""
        await held.hold(self.connection, consumer, inputs)

    async def forget_answered(self, consumer: str, input_ids: Collection[UUID]) -> None:
        """See `held`."""
        await held.forget_answered(self.connection, consumer, input_ids)

    async def take_held(self, consumer: str, partitions: Sequence[TopicPartition], limit: int) -> list[Record]:
        """See `held`."""
        return await held.take_held(self.connection, consumer, partitions, limit)

    async def drop_held(self, consumer: str, records: Sequence[Record]) -> set[tuple[str, int, int]]:
        """See `held`."""
        return await held.drop_held(self.connection, consumer, records)

    async def holds_any(self, consumer: str) -> bool:
        """See `held`."""
        return await held.holds_any(self.connection, consumer)

    async def add_dead_letters(self, consumer: str, letters: Sequence[DeadLetter]) -> None:
        """See `dead_letters.park`."""
        await dead_letters.park(self.connection, consumer, letters)

    async def blocked_keys(self, consumer: str, keys: Sequence[str]) -> dict[str, FirstDeadLetter]:
        """See `dead_letters`."""
        return await dead_letters.blocked_keys(self.connection, consumer, keys)

    async def list_dead_letters(self, after: UUID, limit: int, *, key: str | None, resolved: bool) -> list[ParkedMessage]:
        """See `dead_letters.list_parked`."""
        return await dead_letters.list_parked(self.connection, after, limit, key=key, resolved=resolved)

    async def find_dead_letter(self, letter_id: UUID) -> OpenDeadLetter | None:
        """See `dead_letters.find_parked`."""
        return await dead_letters.find_parked(self.connection, letter_id)

    async def lock_dead_letters(self, ids: Sequence[UUID]) -> dict[UUID, OpenDeadLetter]:
        """See `dead_letters.lock_parked`."""
        return await dead_letters.lock_parked(self.connection, ids)

    async def lock_dead_letters_of(self, consumer: str, key: str) -> list[OpenDeadLetter]:
        """See `dead_letters.lock_parked_key`."""
        return await dead_letters.lock_parked_key(self.connection, consumer, key)

    async def resolve_dead_letter(self, letter_id: UUID, state: str, by: str, why: str | None) -> None:
        """See `dead_letters.resolve`."""
        await dead_letters.resolve(self.connection, letter_id, state, by, why)

    async def failed_again(self, letter_id: UUID, fault: Exception) -> None:
        """See `dead_letters`."""
        await dead_letters.failed_again(self.connection, letter_id, fault)

    async def log_access(self, letter: OpenDeadLetter, subject: str, reason: str) -> None:
        """See `dead_letter_access`."""
        await dead_letter_access.log_access(self.connection, letter, subject, reason)

    async def list_accesses(self, after: UUID, limit: int) -> list[DeadLetterAccess]:
        """See `dead_letter_access`."""
        return await dead_letter_access.list_accesses(self.connection, after, limit)

    def nested(self) -> AbstractAsyncContextManager[object]:
        """A savepoint."""
        return self.connection.begin_nested()
