"""Marks and messages whose business time is the broker's append time: what is unread holds the marks back."""

from collections.abc import Mapping
from datetime import datetime

from tuntas_chassis.clock import Clock
from tuntas_chassis.consumer import BatchConsumer
from tuntas_chassis.database import Database
from tuntas_chassis.inbox import TopicPartition, read_positions

Ends = Mapping[TopicPartition, int]


class ReadBound:
    """The business time before which a consumer, all replicas together, has surely read everything on its topics."""

    def __init__(self, consumer: BatchConsumer, database: Database, clock: Clock) -> None:
        self._consumer = consumer
        self._database = database
        self._clock = clock
        self._waiting: tuple[datetime, Ends] | None = None

    async def __call__(self) -> datetime | None:
        """That time, or None where it is not known yet.

        Where something is unread now, the ends of the topics are kept with their time: once the positions have passed them,
        all that was appended before that time is read, however much has come since.
        """
        now = self._clock.now()
        ends = await self._consumer.topic_ends()
        if ends is None:
            return None
        async with self._database.connect() as connection:
            positions = await read_positions(connection, self._consumer.consumer_name)
        if _passed(positions, ends):
            self._waiting = None
            return now
        reached = self._waiting[0] if self._waiting is not None and _passed(positions, self._waiting[1]) else None
        if self._waiting is None or reached is not None:
            self._waiting = (now, ends)
        return reached


def _passed(positions: Mapping[TopicPartition, int], ends: Ends) -> bool:
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())
