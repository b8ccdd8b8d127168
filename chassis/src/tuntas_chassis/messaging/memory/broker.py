"""Kafka in memory: topics of partitions of records, and a client that reads them as aiokafka's does."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from tuntas_chassis.messaging.outbox import key_hash
from tuntas_chassis.messaging.subscription import Record
from tuntas_contracts.envelope import Headers

BEGIN_MS = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1000)


@dataclass
class MemoryBroker:
    """`topics` holds the records of each partition; `committed` the offsets that groups committed, which only show the lag."""

    topics: dict[str, list[list[Record]]] = field(default_factory=dict)
    committed: dict[str, dict[TopicPartition, int]] = field(default_factory=lambda: defaultdict(dict))
    now_ms: int = BEGIN_MS
    """The append time of the next record, in milliseconds; each record moves it on by one."""

    def create(self, topic: str, partitions: int = 4) -> None:
        """A topic without records, also in place of one that was there."""
        self.topics[topic] = [[] for _ in range(partitions)]

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, partition: int | None = None) -> Record:
        """Add a record, by Kafka's default partitioner unless a partition is named; raises KeyError for an unknown topic."""
        logs = self.topics[topic]
        number = partition if partition is not None else key_hash(key or b"") % len(logs)
        sizes = (-1 if key is None else len(key), -1 if value is None else len(value))
        record = ConsumerRecord(topic, number, len(logs[number]), self.now_ms, 1, key, value, None, *sizes, tuple(headers))
        logs[number].append(record)
        self.now_ms += 1
        return record

    def records(self, topic: str) -> list[Record]:
        """Everything on a topic, in the order in which it was appended."""
        return sorted((record for log in self.topics[topic] for record in log), key=lambda record: record.timestamp)

    def partitions_of(self, topics: Iterable[str]) -> list[TopicPartition]:
        """The partitions of those of these topics that are there."""
        return [TopicPartition(topic, number) for topic in topics for number in range(len(self.topics.get(topic, ())))]


class MemoryClient:
    """What the delivery core uses of a consumer of aiokafka. Nothing is fetched before it is asked for."""

    def __init__(self, broker: MemoryBroker, group: str, topics: Sequence[str]) -> None:
        self._broker = broker
        self._group = group
        self._topics = list(topics)
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """These are ours: it begins where the group committed, as a client does until it seeks."""
        self._positions = {p: self._broker.committed[self._group].get(p, 0) for p in partitions}

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: float = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        """What is at our positions, in the order of each partition; from the first on where one is beyond the end."""
        found: dict[TopicPartition, list[Record]] = {}
        left = max_records if max_records is not None else 1_000_000
        for partition in partitions or tuple(self._positions):
            if partition in self._paused or not left:
                continue
            log = self._log(partition)
            if self._positions[partition] > len(log):
                self._positions[partition] = 0
            begin = self._positions[partition]
            if records := log[begin : begin + left]:
                found[partition] = records
                left -= len(records)
                # the next look begins with the partitions that this one left out
                self._positions[partition] = self._positions.pop(partition) + len(records)
        return found

    def _log(self, partition: TopicPartition) -> list[Record]:
        logs = self._broker.topics.get(partition.topic, [])
        return logs[partition.partition] if partition.partition < len(logs) else []

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The next offset of each."""
        return {p: len(self._log(p)) for p in partitions}

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset of each: nothing expires."""
        return dict.fromkeys(partitions, 0)

    async def position(self, partition: TopicPartition) -> int:
        """The offset that is given next."""
        return self._positions[partition]

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Keep the group's offsets."""
        self._broker.committed[self._group].update(offsets)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        self._positions[partition] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        """Give no more of these."""
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        """Give these again."""
        self._paused.difference_update(partitions)

    def paused(self) -> set[TopicPartition]:
        """The partitions that are paused."""
        return set(self._paused)

    def assignment(self) -> set[TopicPartition]:
        """The partitions that are ours."""
        return set(self._positions)

    def subscription(self) -> set[str]:
        """The topics that are read."""
        return set(self._topics)

    def partitions_for_topic(self, topic: str) -> set[int]:
        """The numbers of its partitions."""
        return set(range(len(self._broker.topics.get(topic, ()))))

    def highwater(self, partition: TopicPartition) -> int:
        """The next offset."""
        return len(self._log(partition))

    # -- the part of FastStream's subscriber and broker that a consumer uses ------------------------------------------

    @property
    def consumer(self) -> Any:
        """Itself."""
        return self

    async def stop(self) -> None:
        """Leave the group."""
        self._positions.clear()
