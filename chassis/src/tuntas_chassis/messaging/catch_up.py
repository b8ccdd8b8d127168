"""What was on the topics when this process first saw them, and how much of it is unread by any replica."""

from collections.abc import Mapping

from aiokafka import TopicPartition

from tuntas_chassis.messaging import inbox


class CatchUp:
    """One consumer's account. A partition stays in it until some replica has read it to the end it had."""

    def __init__(self) -> None:
        self.ends: dict[TopicPartition, int] = {}
        """The next offset of each partition when it was first seen."""
        self._unread: dict[TopicPartition, int] = {}
        self._begun = False

    def first_seen(self, ends: Mapping[TopicPartition, int], starts: Mapping[TopicPartition, int]) -> None:
        """Take in partitions that are new; nothing need be read of one that is empty."""
        for partition, end in ends.items():
            self.ends[partition] = end
            if starts.get(partition, 0) < end:
                self._unread[partition] = end

    def begin(self) -> None:
        """All partitions are in the account."""
        self._begun = True

    def reset(self) -> None:
        """Forget everything: the partitions are to be seen for the first time again."""
        self._begun = False
        self.ends.clear()
        self._unread.clear()

    def read_to(self, partition: TopicPartition, position: int) -> None:
        """A partition was read to `position`, here or by another replica."""
        end = self._unread.get(partition)
        if end is not None and position >= end:
            del self._unread[partition]

    def stored(self, positions: Mapping[inbox.TopicPartition, int]) -> None:
        """The database's positions: everything up to there is read."""
        for partition in list(self._unread):
            self.read_to(partition, positions.get((partition.topic, partition.partition), 0))

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at first sight is read."""
        return self._begun and not self._unread
