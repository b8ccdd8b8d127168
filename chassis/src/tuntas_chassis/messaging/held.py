"""Inputs that wait until a topic is read up: an owner's event that answers one may come later."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.messaging.inbox import TopicPartition
from tuntas_chassis.messaging.raw_records import columns_of, record_of
from tuntas_chassis.messaging.subscription import Record

_HOLD = text(
    'INSERT INTO held_input (consumer, topic, partition, "offset", input_id, raw_key, value, headers, timestamp_ms) '
    "VALUES (:consumer, :topic, :partition, :offset, :input_id, :raw_key, :value, :headers, :timestamp_ms) "
    "ON CONFLICT DO NOTHING"
)
_ANSWERED = text("DELETE FROM held_input WHERE consumer = :consumer AND input_id = ANY(CAST(:ids AS uuid[]))")
_TAKE = text(
    'DELETE FROM held_input WHERE (consumer, topic, partition, "offset") IN (SELECT consumer, topic, partition, "offset" FROM held_input '
    "WHERE consumer = :consumer AND (topic, partition) IN (SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]))) "
    'ORDER BY topic, partition, "offset" LIMIT :limit) '
    'RETURNING topic, partition, "offset", raw_key, value, headers, timestamp_ms'
)
_DROP = text(
    'DELETE FROM held_input WHERE consumer = :consumer AND (topic, partition, "offset") IN (SELECT * FROM unnest('
    "CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]))) "
    'RETURNING topic, partition, "offset"'
)
_ANY = text("SELECT EXISTS (SELECT 1 FROM held_input WHERE consumer = :consumer)")


async def hold(connection: AsyncConnection, consumer: str, inputs: Sequence[tuple[Record, UUID]]) -> None:
    """Keep these records, each with its input id, until they are taken or answered."""
    await connection.execute(_HOLD, [{**columns_of(record), "consumer": consumer, "input_id": input_id} for record, input_id in inputs])


async def forget_answered(connection: AsyncConnection, consumer: str, input_ids: Collection[UUID]) -> None:
    """An owner's event answers these: nothing is left to do about them."""
    await connection.execute(_ANSWERED, {"consumer": consumer, "ids": sorted(input_ids)})


async def take_held(connection: AsyncConnection, consumer: str, partitions: Sequence[TopicPartition], limit: int) -> list[Record]:
    """Take what is held of these partitions away, in the order of each."""
    rows = await connection.execute(
        _TAKE, {"consumer": consumer, "topics": [t for t, _ in partitions], "partitions": [p for _, p in partitions], "limit": limit}
    )
    return sorted((record_of(dict(row)) for row in rows.mappings()), key=lambda r: (r.topic, r.partition, r.offset))


async def drop_held(connection: AsyncConnection, consumer: str, records: Sequence[Record]) -> set[tuple[str, int, int]]:
    """Take these away; returns the topic, partition and offset of those that were still there."""
    rows = await connection.execute(
        _DROP,
        {
            "consumer": consumer,
            "topics": [r.topic for r in records],
            "partitions": [r.partition for r in records],
            "offsets": [r.offset for r in records],
        },
    )
    return {(row.topic, row.partition, row.offset) for row in rows}


async def holds_any(connection: AsyncConnection, consumer: str) -> bool:
    """Whether anything is held for this consumer."""
    return bool(await connection.scalar(_ANY, {"consumer": consumer}))
