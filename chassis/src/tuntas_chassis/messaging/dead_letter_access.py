"""Who read the content of parked messages: a table to which lines are only added."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.dead_letters import OpenDeadLetter

_ADD = text(
    'INSERT INTO parked_access (id, subject, reason, message_id, consumer, topic, partition, "offset", key) '
    "VALUES (:id, :subject, :reason, :message_id, :consumer, :topic, :partition, :offset, :key)"
)
_LIST = text(
    'SELECT id, at, subject, reason, message_id, consumer, topic, partition, "offset", key FROM parked_access WHERE id > :after '
    "ORDER BY id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class DeadLetterAccess:
    """One look at the content of one message."""

    id: UUID
    at: datetime
    subject: str
    reason: str
    message_id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    key: str | None


async def log_access(connection: AsyncConnection, message: OpenDeadLetter, subject: str, reason: str) -> None:
    """Write down, in the transaction of the reading, who reads the message and why."""
    listed = message.listed
    await connection.execute(
        _ADD,
        {
            "id": new_id(),
            "subject": subject,
            "reason": reason,
            "message_id": listed.id,
            "consumer": listed.consumer,
            "topic": listed.topic,
            "partition": listed.partition,
            "offset": listed.offset,
            "key": listed.key,
        },
    )


async def list_accesses(connection: AsyncConnection, after: UUID, limit: int) -> list[DeadLetterAccess]:
    """Who read what, oldest first, behind the id `after`."""
    rows = await connection.execute(_LIST, {"after": after, "limit": limit})
    return [DeadLetterAccess(**row) for row in rows.mappings()]
