"""The fetched records of one partition. Whatever bytes they are, nothing but records comes of them, one of which may be a fault."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import time

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from tuntas_chassis.messaging.record_batches import HEADER_BYTES, LENGTH_OVERHEAD, BatchHeader, UnreadableBatch, open_batch
from tuntas_chassis.messaging.subscription import Record

PARTITION_BYTES = 2 * 1_048_576
_SHORTEST = HEADER_BYTES - LENGTH_OVERHEAD
_FARTHEST_DELTA = 1 << 24  # more records fit into no batch that may be inflated


@dataclass(eq=False)
class UnreadableRecords(ConsumerRecord):  # type: ignore[misc]  # aiokafka's base is untyped
    """Represents the records from `first_offset` to `offset` of a batch: they can't be read, and `reason` says why."""

    first_offset: int
    reason: str

    @property
    def described(self) -> str:
        """Where they are and what is wrong, for those who wrote them."""
        where = f"record {self.offset}" if self.first_offset == self.offset else f"records {self.first_offset} to {self.offset}"
        return f"{where} of {self.topic}/{self.partition} can't be read: {self.reason}"


def before_unreadable(records: Sequence[Record], unreadable: Sequence[UnreadableRecords]) -> Sequence[Record]:
    """The records without those that can't be read and what follows them on their partitions."""
    first = {(one.topic, one.partition): one.first_offset for one in reversed(unreadable)}
    return [r for r in records if r.offset < first.get((r.topic, r.partition), r.offset + 1)]


class ByteBudget:
    """How many bytes of records one look at what was fetched may still bring."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.left = limit

    def renew(self) -> None:
        """Start again."""
        self.left = self._limit


class PartitionRecords:
    """Replaces aiokafka's class of the same name, whose errors concern every partition that is read beside this one.

    A batch is checked, inflated and decoded when its first record is asked for. Where the bytes that may be given are used up
    it ends as if nothing followed: the client then fetches again from `next_fetch_offset`.
    """

    def __init__(
        self,
        tp: TopicPartition,
        data: bytes,
        fetch_offset: int,
        budget: ByteBudget,
        note_unreadable: Callable[[UnreadableRecords], None],
        note_passed: Callable[[TopicPartition, int, int], None],
    ) -> None:
        """`note_passed` gets the first of offsets that hold no record, and the one behind them."""
        self._tp = tp
        self._data = data
        self._budget = budget
        self._note_unreadable = note_unreadable
        self._note_passed = note_passed
        self.next_fetch_offset = fetch_offset
        self._iterator = self._records()

    def __iter__(self) -> Iterator[Record]:
        return self._iterator

    def __next__(self) -> Record:
        return next(self._iterator)

    def _records(self) -> Iterator[Record]:
        at, given = 0, 0
        while len(self._data) - at >= HEADER_BYTES:
            header = BatchHeader.read(self._data, at)
            end = at + LENGTH_OVERHEAD + header.length
            if header.length < _SHORTEST:  # where the next one begins is unknown
                yield self._unreadable(header, UnreadableBatch(f"a batch of {header.length} bytes is none"), self.next_fetch_offset + 1)
                return
            if end > len(self._data):  # the broker ends an answer at the fetch size, wherever that is
                return
            if self._budget.left <= 0 or given >= PARTITION_BYTES:
                return
            try:
                batch, size = open_batch(header, memoryview(self._data)[at:end])
            except UnreadableBatch as error:
                yield self._unreadable(header, error, self._behind(header, end))
            else:
                if not header.is_control and header.next_offset > self.next_fetch_offset:
                    self._budget.left -= size
                    given += size
                    yield from self._of_batch(header, batch)
                if header.next_offset > self.next_fetch_offset:
                    self._note_passed(self._tp, self.next_fetch_offset, header.next_offset)
                    self.next_fetch_offset = header.next_offset
            at = end

    def _of_batch(self, header: BatchHeader, batch: "Iterator[Record]") -> Iterator[Record]:
        topic, partition = self._tp
        try:
            for r in batch:
                offset = r.offset
                if offset < self.next_fetch_offset:
                    continue
                key, value = r.key, r.value
                self.next_fetch_offset = offset + 1
                yield ConsumerRecord(
                    topic,
                    partition,
                    offset,
                    r.timestamp,
                    r.timestamp_type,
                    key,
                    value,
                    None,
                    -1 if key is None else len(key),
                    -1 if value is None else len(value),
                    tuple(r.headers),
                )
        except (KafkaError, ValueError, IndexError, OverflowError, MemoryError) as error:
            yield self._unreadable(header, error, header.next_offset)

    def _behind(self, header: BatchHeader, end: int) -> int:
        """Where to continue behind a batch whose header may be wrong too: where the next one begins, if that is at hand."""
        if len(self._data) - end >= HEADER_BYTES:
            following = BatchHeader.read(self._data, end).base_offset
            if self.next_fetch_offset < following <= self.next_fetch_offset + _FARTHEST_DELTA:
                return following
        return header.next_offset if 0 <= header.last_offset_delta < _FARTHEST_DELTA else self.next_fetch_offset + 1

    def _unreadable(self, header: BatchHeader, error: Exception, next_offset: int) -> UnreadableRecords:
        first = self.next_fetch_offset
        self.next_fetch_offset = max(next_offset, first + 1)
        reason = str(error) if isinstance(error, UnreadableBatch) else f"{type(error).__name__}: {str(error)[:200]}"
        timestamp = header.max_timestamp if header.is_append_time else int(time() * 1000)
        found = UnreadableRecords(
            self._tp.topic, self._tp.partition, self.next_fetch_offset - 1, timestamp, 1, None, None, None, -1, -1, (), first, reason
        )  # fmt: skip
        self._note_unreadable(found)
        return found
