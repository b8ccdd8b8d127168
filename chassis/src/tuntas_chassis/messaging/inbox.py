"""The inbox: which messages, inputs and commands have had their effect, and how far each topic has been read."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

HANDLED = "handled"
TopicPartition = tuple[str, int]

_REMEMBER = text(
    "INSERT INTO inbox (message_id, consumer) SELECT id, :consumer FROM unnest(CAST(:ids AS uuid[])) AS id "
    "ON CONFLICT DO NOTHING RETURNING message_id"
)
_FORGET = text("DELETE FROM inbox WHERE consumer = :consumer AND message_id = ANY(CAST(:ids AS uuid[]))")
_KNOWN = text("SELECT message_id FROM inbox WHERE consumer = :consumer AND message_id = ANY(CAST(:ids AS uuid[]))")
_LOCK_POSITIONS = text(
    "SELECT topic, partition, position FROM consumer_offset WHERE consumer = :consumer AND (topic, partition) IN "
    "(SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]))) ORDER BY topic, partition FOR UPDATE"
)
_READ_POSITIONS = text("SELECT topic, partition, position FROM consumer_offset WHERE consumer = :consumer")
_ADVANCE = text(
    "INSERT INTO consumer_offset AS o (consumer, topic, partition, position) SELECT :consumer, t, p, n "
    "FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:positions AS bigint[])) AS x (t, p, n) ORDER BY t, p "
    "ON CONFLICT (consumer, topic, partition) DO UPDATE SET position = EXCLUDED.position WHERE o.position < EXCLUDED.position"
)


async def remember(connection: AsyncConnection, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
    """Remember these messages; returns those that were new."""
    rows = await connection.execute(_REMEMBER, {"consumer": consumer, "ids": list(ids)})
    return set(rows.scalars())


async def remember_handled(connection: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """Remember inputs or commands as answered, whatever message brings them; returns those that were new."""
    return await remember(connection, HANDLED, ids)


async def forget_handled(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Take back that these were answered: they were refused in the transaction that remembered them."""
    await connection.execute(_FORGET, {"consumer": HANDLED, "ids": list(ids)})


async def known_handled(connection: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these inputs or commands were answered before."""
    rows = await connection.execute(_KNOWN, {"consumer": HANDLED, "ids": list(ids)})
    return set(rows.scalars())


async def lock_positions(connection: AsyncConnection, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Lock this consumer's positions: the next offset to process, where one is known."""
    rows = await connection.execute(
        _LOCK_POSITIONS, {"consumer": consumer, "topics": [t for t, _ in partitions], "partitions": [p for _, p in partitions]}
    )
    return {(row.topic, row.partition): row.position for row in rows}


async def read_positions(connection: AsyncConnection, consumer: str) -> dict[TopicPartition, int]:
    """Every position of this consumer."""
    rows = await connection.execute(_READ_POSITIONS, {"consumer": consumer})
    return {(row.topic, row.partition): row.position for row in rows}


async def advance_positions(connection: AsyncConnection, consumer: str, positions: Mapping[TopicPartition, int]) -> None:
    """Move positions forward, never back."""
    await connection.execute(
        _ADVANCE,
        {
            "consumer": consumer,
            "topics": [t for t, _ in positions],
            "partitions": [p for _, p in positions],
            "positions": list(positions.values()),
        },
    )
