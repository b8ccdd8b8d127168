"""Whatever bytes a partition holds: they cause no error, what is sound is read, and reading always continues behind what is not."""

import gzip
import struct
from collections.abc import Callable

import cramjam
import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_batches import GZIP, LZ4, SNAPPY, ZSTD, batch, bomb, raw_batch, raw_record
from tuntas_chassis.messaging.partition_records import PARTITION_BYTES, ByteBudget, PartitionRecords, UnreadableRecords
from tuntas_chassis.messaging.passed_offsets import PassedOffsets
from tuntas_chassis.messaging.record_batches import MAX_INFLATED_BYTES, UnreadableBatch, check_codecs, inflate
from tuntas_chassis.messaging.subscription import Record

TP = TopicPartition("actions", 0)
PASSED = PassedOffsets()
SOUND = (b"a", b"1", [(b"ce_type", b"x")])


def at(offset: int, one: bytes) -> bytes:
    """The batch as the broker stores it there; its checksum does not cover the offset."""
    return struct.pack(">q", offset) + one[8:]


def read(data: bytes, offset: int = 0, budget: int = 1 << 30) -> tuple[list[Record], list[UnreadableRecords], int]:
    reported: list[UnreadableRecords] = []
    records = PartitionRecords(TP, data, offset, ByteBudget(budget), reported.append, PASSED.note)
    found = list(records)
    return [r for r in found if not isinstance(r, UnreadableRecords)], reported, records.next_fetch_offset


def test_each_codec_of_kafka_is_read() -> None:
    check_codecs()
    data = b"".join(at(2 * n, batch(SOUND, (b"b", None, []), codec=codec)) for n, codec in enumerate((0, GZIP, SNAPPY, LZ4, ZSTD)))
    records, unreadable, behind = read(data)
    assert ([r.offset for r in records], unreadable, behind) == (list(range(10)), [], 10)
    assert {(r.key, r.value, r.headers) for r in records} == {(b"a", b"1", (("ce_type", b"x"),)), (b"b", None, ())}


def test_a_snappy_block_without_the_java_librarys_frame_is_read() -> None:
    assert bytes(inflate(SNAPPY, memoryview(bytes(cramjam.snappy.compress_raw(b"plain"))), 100)) == b"plain"


def test_gzip_streams_may_follow_each_other() -> None:
    assert bytes(inflate(GZIP, memoryview(gzip.compress(b"one") + gzip.compress(b"two")), 100)) == b"onetwo"


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "header name": (raw_batch(raw_record(b"k", b"v", [(b"\xff\xfe", b"x")]), 1), "utf-8"),
    "codec": (raw_batch(raw_record(b"k", b"v", []), 1, codec=6), "codec 6 is unknown"),
    "checksum": (batch(SOUND)[:-1] + b"\x07", "checksum"),
    "not compressed": (raw_batch(b"this is no zstd", 1, codec=ZSTD), "compressed"),
    "cut short": (raw_batch(gzip.compress(raw_record(b"k", b"v" * 100, []))[:-20], 1, codec=GZIP), "too early"),
    "bomb": (bomb(300), f"more than {MAX_INFLATED_BYTES} bytes"),
    "format": (batch(SOUND)[:16] + b"\x01" + batch(SOUND)[17:], "message format 1"),
    "more records said than there are": (raw_batch(raw_record(b"k", b"v", []), 3), "CorruptRecord"),
    "less records said than there are": (raw_batch(raw_record(b"k", b"v", []) * 3, 1), "CorruptRecord"),
    "a header count out of the world": (raw_batch(b"\x10\x00\x00\x00\x01\x01\xfe\xff\xff\xff\x0f", 1), "Corrupt"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_reported_and_skipped(name: str) -> None:
    bad, why = UNREADABLE[name]
    records, unreadable, behind = read(at(5, batch(SOUND)) + at(6, bad) + at(9, batch(SOUND, SOUND)), 5)
    assert [r.offset for r in records if r.offset != 6] == [5, 9, 10]
    assert behind == 11
    (reported,) = unreadable
    assert why in reported.reason
    assert reported.first_offset <= reported.offset < 9
    assert f"{TP.topic}/{TP.partition}" in reported.described


def test_a_batch_is_not_inflated_before_its_turn() -> None:
    many = b"".join(at(n, batch((b"k", bytes(MAX_INFLATED_BYTES - 1_000), []), codec=ZSTD)) for n in range(40))
    records, unreadable, behind = read(many)
    assert (len(records), unreadable, behind) == (1, [], 1), "one is more than a partition may have at a time"
    assert MAX_INFLATED_BYTES > PARTITION_BYTES
    assert [r.offset for r in read(many, behind)[0]] == [1]


def test_the_budget_of_all_partitions_ends_each_where_it_can_continue() -> None:
    data = b"".join(at(n, batch((b"k", b"x" * 1_000, []))) for n in range(10))
    records, _, behind = read(data, budget=3_000)
    assert [r.offset for r in records] == [0, 1, 2]
    assert [r.offset for r in read(data, behind)[0]] == list(range(3, 10))
    assert read(data, budget=0)[2] == 0


def test_records_before_the_offset_asked_for_are_left_out() -> None:
    assert [r.offset for r in read(at(0, batch(SOUND, SOUND, SOUND, codec=ZSTD)), 2)[0]] == [2]


def test_a_batch_that_the_fetch_size_cut_off_waits_for_the_next_fetch() -> None:
    whole = at(0, batch(SOUND)) + at(1, batch(SOUND))
    assert (read(whole[:-5])[1:]) == ([], 1)
    assert read(whole[:30])[1:] == ([], 0)


PRESSES: dict[int, Callable[[bytes], bytes]] = {
    GZIP: gzip.compress,
    SNAPPY: lambda data: bytes(cramjam.snappy.compress_raw(data)),
    LZ4: lambda data: bytes(cramjam.lz4.compress(data)),
    ZSTD: lambda data: bytes(cramjam.zstd.compress(data)),
}


@pytest.mark.parametrize("codec", PRESSES)
def test_every_codec_stops_at_the_limit(codec: int) -> None:
    data = memoryview(PRESSES[codec](bytes(100_000)))
    assert len(inflate(codec, data, 100_000)) == 100_000
    with pytest.raises(UnreadableBatch, match="more than 99999 bytes"):
        inflate(codec, data, 99_999)


DATA = at(0, batch(SOUND, SOUND)) + at(2, batch(SOUND, codec=ZSTD)) + at(3, batch(SOUND, codec=GZIP)) + at(4, batch(SOUND, codec=SNAPPY))


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(DATA)))
def test_changed_bytes_raise_nothing_and_offsets_go_up(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(DATA)
    for place, byte in changes:
        data[place] = byte
    reported: list[UnreadableRecords] = []
    records = PartitionRecords(TP, bytes(data[:length]), 0, ByteBudget(1 << 30), reported.append, PASSED.note)
    found = list(records)
    offsets = [r.offset for r in found]
    assert offsets == sorted(set(offsets))
    assert records.next_fetch_offset > max(offsets, default=-1)
    assert [r for r in found if isinstance(r, UnreadableRecords)] == reported
