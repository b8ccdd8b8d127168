"""How far each topic has been answered whose every record is answered: kept like the answers themselves, whatever is read again.

A place is an offset with the append time that the broker gave it. A topic that was recreated has the same offsets at later times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.messaging.inbox import TopicPartition
from tuntas_chassis.messaging.subscription import Record

_READ = text(
    'SELECT topic, partition, "offset", timestamp_ms FROM answered_position WHERE consumer = :consumer AND (topic, partition) IN '
    "(SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[])))"
)
_WRITE = text(
    'INSERT INTO answered_position (consumer, topic, partition, "offset", timestamp_ms) SELECT :consumer, t, p, o, m FROM unnest('
    "CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]), CAST(:times AS bigint[])) AS x (t, p, o, m) "
    'ORDER BY t, p ON CONFLICT (consumer, topic, partition) DO UPDATE SET "offset" = EXCLUDED."offset", '
    "timestamp_ms = EXCLUDED.timestamp_ms"
)


@dataclass(frozen=True, slots=True)
class Answered:
    """The last record of a partition that was answered."""

    offset: int
    timestamp_ms: int

    def includes(self, record: Record) -> bool:
        """Whether the record was answered by then."""
        return bool(record.offset <= self.offset and record.timestamp <= self.timestamp_ms)


async def read_answered(connection: AsyncConnection, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Answered]:
    """How far these partitions were answered; one of which nothing was is left out."""
    rows = await connection.execute(
        _READ, {"consumer": consumer, "topics": [t for t, _ in partitions], "partitions": [p for _, p in partitions]}
    )
    return {(row.topic, row.partition): Answered(row.offset, row.timestamp_ms) for row in rows}


async def write_answered(connection: AsyncConnection, consumer: str, records: Sequence[Record]) -> None:
    """These records are answered: together, in order of each partition, and in the transaction of the answers."""
    last = last_of_each(records)
    await connection.execute(
        _WRITE,
        {
            "consumer": consumer,
            "topics": [t for t, _ in last],
            "partitions": [p for _, p in last],
            "offsets": [a.offset for a in last.values()],
            "times": [a.timestamp_ms for a in last.values()],
        },
    )


def last_of_each(records: Sequence[Record]) -> dict[TopicPartition, Answered]:
    """How far each partition is answered with these records, given in the order of each."""
    last: dict[TopicPartition, Answered] = {}
    for record in records:
        before = last.get((record.topic, record.partition))
        last[record.topic, record.partition] = Answered(record.offset, max(record.timestamp, before.timestamp_ms if before else 0))
    return last
