"""Positions move behind offsets that hold no record, and behind no record that is not handled."""

import struct

import pytest
from aiokafka import TopicPartition
from aiokafka.record.util import calc_crc32c

from tests.support.hostile_batches import batch
from tuntas_chassis.messaging.partition_records import ByteBudget, PartitionRecords
from tuntas_chassis.messaging.passed_offsets import PassedOffsets

TP = TopicPartition("in", 0)
SOUND: tuple[bytes, bytes, list[tuple[bytes, bytes | None]]] = (b"a", b"1", [])
CONTROL = 0x20


def at(offset: int, one: bytes) -> bytes:
    return struct.pack(">q", offset) + one[8:]


def marker(offset: int) -> bytes:
    """The end of a transaction."""
    whole = bytearray(at(offset, batch((bytes(4), bytes(6), []))))
    struct.pack_into(">h", whole, 21, CONTROL)
    struct.pack_into(">I", whole, 17, calc_crc32c(bytes(whole[21:])))
    return bytes(whole)


def shortened(offset: int, last_delta: int) -> bytes:
    """A batch whose last records compaction has removed: it still says how far it reached."""
    whole = bytearray(at(offset, batch(SOUND)))
    struct.pack_into(">i", whole, 23, last_delta)
    struct.pack_into(">I", whole, 17, calc_crc32c(bytes(whole[21:])))
    return bytes(whole)


def read(passed: PassedOffsets, data: bytes, offset: int = 0) -> list[int]:
    records = PartitionRecords(TP, data, offset, ByteBudget(1 << 30), lambda _: None, passed.note)
    return [r.offset for r in records]


@pytest.mark.parametrize("last", [at(1, batch(SOUND)) + marker(2), shortened(1, 1)], ids=["a transaction's marker", "compaction"])
def test_a_position_moves_behind_empty_offsets_once_all_before_is_handled(last: bytes) -> None:
    passed = PassedOffsets()
    assert read(passed, at(0, batch(SOUND)) + last) == [0, 1]
    assert passed.behind({TP: 0}) == {}
    assert passed.behind({TP: 1}) == {}
    assert passed.behind({TP: 2}) == {TP: 3}
    assert passed.behind({TP: 3}) == {}
    assert passed.behind({}) == {}


def test_markers_that_follow_each_other_are_passed_together_whatever_fetch_brings_them() -> None:
    passed = PassedOffsets()
    assert read(passed, at(0, batch(SOUND)) + marker(1) + marker(2)) == [0]
    assert read(passed, marker(3), 3) == []
    assert passed.behind({TP: 1}) == {TP: 4}


def test_a_marker_before_every_record_is_passed() -> None:
    passed = PassedOffsets()
    assert read(passed, marker(0)) == []
    assert passed.behind({TP: 0}) == {TP: 1}


def test_records_between_markers_are_not_passed() -> None:
    passed = PassedOffsets()
    assert read(passed, marker(0) + at(1, batch(SOUND, SOUND)) + marker(3)) == [1, 2]
    assert passed.behind({TP: 0}) == {}
    assert passed.behind({TP: 2}) == {}
    assert passed.behind({TP: 3}) == {TP: 4}


def test_a_partition_that_is_taken_away_is_forgotten() -> None:
    passed = PassedOffsets()
    passed.note(TP, 3, 4)
    passed.revoked(TP)
    assert passed.behind({TP: 3}) == {}
