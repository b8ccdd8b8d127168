"""How far the database is known to have known: positions there only ever go forward, unless it was put back."""

from collections.abc import Iterable, Mapping

from tuntas_chassis.messaging.delivery_tables import DeliveryTables
from tuntas_chassis.messaging.inbox import TopicPartition


class PositionsLost(Exception):
    """The database has a position of ours that is before what it had: it was put back, or lost its tail in a fail-over."""

    def __init__(self, partition: TopicPartition, believed: int) -> None:
        super().__init__(
            f"{partition[0]}/{partition[1]} was read to {believed}, and the database no longer knows: read on from its own position"
        )


class KnownPositions:
    """One consumer's memory of it, of all partitions, whoever reads them: a rebalance takes nothing away from it."""

    def __init__(self, tables: DeliveryTables, consumer_name: str) -> None:
        self._tables = tables
        self._consumer_name = consumer_name
        self._highest: dict[TopicPartition, int] = {}

    def highest(self) -> Mapping[TopicPartition, int]:
        """The highest position of each partition that was seen in the database, or written by us, until now."""
        return dict(self._highest)

    def wrote(self, partition: TopicPartition, position: int) -> None:
        """A partition's position in the database is at least this."""
        self._highest[partition] = max(position, self._highest.get(partition, -1))

    async def read(self) -> Mapping[TopicPartition, int]:
        """What the database says now; raises PositionsLost where that is behind what was known before."""
        believed = self.highest()
        async with self._tables.begin() as transaction:
            stored = await transaction.read_positions(self._consumer_name)
        check(believed, stored, believed)
        for partition, position in stored.items():
            self.wrote(partition, position)
        return stored

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        """Move positions forward where there is nothing to handle; raises PositionsLost as `read` does."""
        partitions = sorted(positions)
        async with self._tables.begin() as transaction:
            check(partitions, await transaction.lock_positions(self._consumer_name, partitions), self._highest)
            await transaction.advance_positions(self._consumer_name, positions)
        for partition, position in positions.items():
            self.wrote(partition, position)

    def forget(self) -> None:
        """It was put back: what it had counts no more."""
        self._highest.clear()


def check(partitions: Iterable[TopicPartition], stored: Mapping[TopicPartition, int], believed: Mapping[TopicPartition, int]) -> None:
    """Raise PositionsLost where what is stored of one of these is behind what it is believed to be."""
    for partition in partitions:
        if stored.get(partition, -1) < believed.get(partition, -1):
            raise PositionsLost(partition, believed[partition])
