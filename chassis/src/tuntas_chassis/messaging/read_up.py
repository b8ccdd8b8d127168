"""How far each partition must be read until all is known that this service has published there before."""

import sys
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from tuntas_chassis.messaging.delivery_tables import DeliveryTables

_NOT_KNOWN_YET = sys.maxsize


class ReadUp:
    """The end of catching up, partition by partition, measured again whenever one is assigned to us.

    It is where the partition ended then. What was in our own outbox at that moment belongs to it: as long as some of it is unsent, the
    end is not known and everything that is read counts as catching up.
    """

    def __init__(self, tables: DeliveryTables, topics: Sequence[str]) -> None:
        self._tables = tables
        self._topics = list(topics)
        self._ends: dict[TopicPartition, int] = {}
        self._open: dict[TopicPartition, int] = {}

    async def assigned(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        """These partitions are ours from now on."""
        last = await self._last_unsent()
        ends = await consumer.end_offsets(list(partitions))
        for partition in partitions:
            self._open.pop(partition, None)
            self._ends[partition] = ends[partition] if last is None else _NOT_KNOWN_YET
            if last is not None:
                self._open[partition] = last

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Where what was unsent has been sent meanwhile, measure the end."""
        ours = {p: last for p, last in self._open.items() if p in consumer.assignment()}
        if not ours:
            return
        async with self._tables.begin() as transaction:
            if await transaction.is_unsent(self._topics, max(ours.values())):
                return
        for partition, end in (await consumer.end_offsets(list(ours))).items():
            self._ends[partition] = end
            del self._open[partition]

    def until(self) -> Mapping[tuple[str, int], int]:
        """The offset, by topic and partition, before which a record counts as read while catching up."""
        return {(p.topic, p.partition): end for p, end in self._ends.items()}

    def done(self, positions: Mapping[TopicPartition, int]) -> Sequence[tuple[str, int]]:
        """The partitions at these positions that have been read up."""
        return [(p.topic, p.partition) for p, position in positions.items() if position >= self._ends.get(p, _NOT_KNOWN_YET)]

    async def _last_unsent(self) -> int | None:
        if not self._topics:
            return None
        async with self._tables.begin() as transaction:
            return await transaction.last_unsent(self._topics)
