"""Up to which time everything on each partition has been read: a watermark must not pass what is unread."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tuntas_chassis.messaging.inbox import TopicPartition

Bounds = Mapping[TopicPartition, datetime | None]


class ReadBounds:
    """The time before which all replicas of a consumer together have surely read each partition.

    Where something is unread at a look, the partition's end is kept with the time of that look: once the position has passed it,
    all that was appended before that time is read, however much has come since.
    """

    def __init__(self) -> None:
        self._awaited: dict[TopicPartition, tuple[datetime, int]] = {}
        self._reached: dict[TopicPartition, datetime] = {}

    def look(
        self,
        now: datetime,
        partitions: Iterable[TopicPartition],
        ends: Mapping[TopicPartition, int],
        positions: Mapping[TopicPartition, int],
    ) -> Bounds:
        """The bounds of the partitions that are behind `now`, None where nothing is known; all others are read up to `now`.

        `ends` were asked for after `now` was, and `positions` after them. A partition without an end gave no answer.
        """
        behind: dict[TopicPartition, datetime | None] = {}
        for partition in partitions:
            end, position = ends.get(partition), positions.get(partition, 0)
            awaited = self._awaited.get(partition)
            if awaited is not None and position >= awaited[1]:
                self._reached[partition] = awaited[0]
                del self._awaited[partition]
            if end is not None and position >= end:
                self._awaited.pop(partition, None)
                self._reached.pop(partition, None)
                continue
            if end is not None and partition not in self._awaited:
                self._awaited[partition] = (now, end)
            behind[partition] = self._reached.get(partition)
        return behind
