"""What a drill lets an agency write is as bad as it says."""

import zlib

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy

from tuntas_demo.drills import hostile

SOUND = (b"key", b"value" * 100, [("name", b"text")])
GZIP = 1


def test_a_sound_batch_is_read_as_it_was_written() -> None:
    [record] = list(_DefaultRecordBatchPy(hostile._batch([SOUND])))
    assert (record.key, record.value, record.headers) == SOUND


def test_the_name_of_a_header_is_no_text() -> None:
    raw = hostile._batch([(b"key", b"value", [(hostile._Name("name"), b"text")])])
    assert _DefaultRecordBatchPy(raw).validate_crc()
    with pytest.raises(CorruptRecordException, match="UnicodeDecodeError"):
        list(_DefaultRecordBatchPy(raw))


def test_a_corrupt_batch_has_a_checksum_that_fits_and_records_that_do_not_inflate() -> None:
    spoiled = _DefaultRecordBatchPy(hostile._corrupt(hostile._batch([SOUND, SOUND], GZIP)))
    assert spoiled.validate_crc()
    with pytest.raises(zlib.error):
        list(spoiled)
