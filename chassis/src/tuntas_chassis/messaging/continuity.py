"""Between what a client returned and what was handled there must be no gap, whatever became of a batch in between."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from aiokafka import TopicPartition

from tuntas_chassis.messaging.subscription import Record


class Continuity:
    """What was returned and is not yet handled. The client's own position moves with what it returns, and never back."""

    def __init__(self) -> None:
        self._returned: dict[TopicPartition, int] = {}
        self._reached: dict[TopicPartition, int] = {}

    def sought(self, partition: TopicPartition, position: int) -> None:
        """The client was moved to `position`."""
        self._returned.pop(partition, None)
        self._reached[partition] = position

    def revoked(self, partition: TopicPartition) -> None:
        """It is no longer ours."""
        self._returned.pop(partition, None)
        self._reached.pop(partition, None)

    def returned(self, drained: Mapping[TopicPartition, Sequence[Record]]) -> None:
        """The client gave these records."""
        for partition, records in drained.items():
            self._returned[partition] = self._reached[partition] = records[-1].offset + 1

    def gaps(self, handled: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Where to go back to, with `handled` positions: partitions of which not all is handled that was returned before."""
        found = {p: handled[p] for p, reached in self._returned.items() if p in handled and handled[p] < reached}
        self._returned.clear()
        return found

    def dropped(self, client_positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Where to go back to after the client failed while it returned records: what it had taken by then is gone."""
        return {p: self._reached[p] for p, position in client_positions.items() if p in self._reached and position > self._reached[p]}


Spans = Mapping[tuple[str, int], tuple[int, int]]
"""The first and last offset of records, by topic and partition."""


def spans(records: Sequence[Record]) -> Spans:
    """The first and last offset of each partition's records, which are together and in order."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for partition, group in groupby(records, attrgetter("topic", "partition")):
        offsets = [r.offset for r in group]
        found[partition] = (found.get(partition, offsets)[0], offsets[-1])
    return found
