"""Offsets that hold no record: markers of transactions, and what compaction removed. No consumer is given anything for them."""

from collections.abc import Mapping

from aiokafka import TopicPartition


class PassedOffsets:
    """The last such offsets that were seen on each partition, from the first of them to the one behind the last."""

    def __init__(self) -> None:
        self._seen: dict[TopicPartition, tuple[int, int]] = {}

    def note(self, partition: TopicPartition, first: int, behind: int) -> None:
        """There is no record from `first` until before `behind`."""
        begun, end = self._seen.get(partition, (first, first))
        self._seen[partition] = (begun if end == first else first, behind)

    def revoked(self, partition: TopicPartition) -> None:
        """It is no longer ours."""
        self._seen.pop(partition, None)

    def clear(self) -> None:
        """All is to be seen again."""
        self._seen.clear()

    def behind(self, handled: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Where these positions move that have reached such offsets: everything before them is handled."""
        return {p: end for p, (first, end) in self._seen.items() if first <= handled.get(p, -1) < end}
