"""Record batches as the broker sends them: checked and inflated within a limit before anything in them is decoded."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cramjam
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatch

MAX_INFLATED_BYTES = 4 * 1_048_576
"""What one batch may inflate to: four times the largest message, which itself is the largest batch that is stored."""
HEADER_BYTES = 61
LENGTH_OVERHEAD = 12  # base offset and length are not counted by the length
_HEADER = struct.Struct(">qiibIhiqqqhii")
_CODEC, _APPEND_TIME, _CONTROL = 0x07, 0x08, 0x20
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_XERIAL_BYTES = 16
_XERIAL = b"\x82SNAPPY\x00"
_FIRST_GUESS_BYTES = 65_536


class UnreadableBatch(ValueError):
    """A batch whose records can't be had; says why."""


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """The header of a batch of format 2, the only one that Kafka 4 stores."""

    base_offset: int
    length: int
    magic: int
    attributes: int
    last_offset_delta: int
    max_timestamp: int

    @classmethod
    def read(cls, data: bytes, start: int) -> "BatchHeader":
        """The header at `start`; at least HEADER_BYTES must follow."""
        base, length, _epoch, magic, _crc, attributes, delta, _first, timestamp, *_ = _HEADER.unpack_from(data, start)
        return cls(base, length, magic, attributes, delta, timestamp)

    @property
    def next_offset(self) -> int:
        """The offset behind the batch."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def is_control(self) -> bool:
        """Whether it holds a transaction's marker instead of records."""
        return bool(self.attributes & _CONTROL)

    @property
    def is_append_time(self) -> bool:
        """Whether its time is the broker's."""
        return bool(self.attributes & _APPEND_TIME)


def check_codecs() -> None:
    """Raise RuntimeError where a codec that Kafka has can't be read here."""
    known = {"gzip": codec.has_gzip, "snappy": codec.has_snappy, "lz4": codec.has_lz4, "zstd": codec.has_zstd}
    if missing := sorted(name for name, has in known.items() if not has()):
        raise RuntimeError(f"no library reads {', '.join(missing)}: install aiokafka[lz4,snappy,zstd]")


def open_batch(header: BatchHeader, batch: memoryview, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> tuple[DefaultRecordBatch, int]:
    """The batch, inflated where it was compressed, to be iterated, and its size in bytes then. Raises UnreadableBatch."""
    if header.magic != 2:
        raise UnreadableBatch(f"message format {header.magic} is not read: use a client that writes format 2 (Kafka 0.11 or newer)")
    opened = DefaultRecordBatch(batch)
    if not opened.validate_crc():
        raise UnreadableBatch("the checksum (CRC-32C) does not fit what is stored")
    if not header.attributes & _CODEC:
        return opened, len(batch)
    inflated = inflate(header.attributes & _CODEC, batch[HEADER_BYTES:], max_inflated_bytes)
    whole = bytearray(HEADER_BYTES + len(inflated))
    whole[:HEADER_BYTES] = batch[:HEADER_BYTES]
    whole[HEADER_BYTES:] = inflated
    struct.pack_into(">i", whole, 8, len(whole) - LENGTH_OVERHEAD)
    struct.pack_into(">h", whole, 21, header.attributes & ~_CODEC)
    return DefaultRecordBatch(whole), len(whole)


def inflate(codec_number: int, data: memoryview, max_bytes: int) -> bytes | memoryview:
    """What was compressed, `max_bytes` at most; no more than that is ever held. Raises UnreadableBatch."""
    try:
        if codec_number == _GZIP:
            return _gunzip(data, max_bytes)
        if codec_number == _SNAPPY:
            return _unsnap(data, max_bytes)
        if codec_number == _LZ4:
            return _into(cramjam.lz4.decompress_into, data, max_bytes)
        if codec_number == _ZSTD:
            return _into(cramjam.zstd.decompress_into, data, max_bytes)
    except (zlib.error, cramjam.DecompressionError, struct.error, EOFError, OverflowError) as error:
        raise UnreadableBatch(f"what is compressed can't be read: {str(error)[:200]}") from error
    raise UnreadableBatch(f"compression codec {codec_number} is unknown: use gzip, snappy, lz4, zstd or none")


def _too_large(max_bytes: int) -> UnreadableBatch:
    return UnreadableBatch(f"it inflates to more than {max_bytes} bytes: send smaller batches")


def _into(decompress_into: Callable[[memoryview, bytearray], int], data: memoryview, max_bytes: int) -> memoryview:
    """A buffer of a fixed size is filled: where it is too small the codec says so, having held no more."""
    size = min(max(_FIRST_GUESS_BYTES, 8 * len(data)), max_bytes)
    while True:
        buffer = bytearray(size)
        try:
            return memoryview(buffer)[: decompress_into(data, buffer)]
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise
        if size == max_bytes:
            raise _too_large(max_bytes)
        size = min(8 * size, max_bytes)


def _gunzip(data: memoryview, max_bytes: int) -> bytes:
    parts, left, rest = [], max_bytes, bytes(data)
    while rest:  # gzip streams may follow each other
        stream = zlib.decompressobj(wbits=31)
        parts.append(stream.decompress(rest, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise _too_large(max_bytes)
        if not stream.eof:
            raise EOFError("the gzip stream ends too early")
        rest = stream.unused_data
    return b"".join(parts)


def _unsnap(data: memoryview, max_bytes: int) -> bytes:
    if bytes(data[: len(_XERIAL)]) != _XERIAL or len(data) < _XERIAL_BYTES:
        return _unsnap_block(data, max_bytes)
    parts, left, at = [], max_bytes, _XERIAL_BYTES
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        if size <= 0 or at + size > len(data):
            raise EOFError(f"a snappy block of {size} bytes does not fit into its batch")
        parts.append(_unsnap_block(data[at : at + size], left))
        left -= len(parts[-1])
        at += size
    return b"".join(parts)


def _unsnap_block(data: memoryview, max_bytes: int) -> bytes:
    size = cramjam.snappy.decompress_raw_len(data)
    if size > max_bytes:
        raise _too_large(max_bytes)
    buffer = bytearray(size)
    return bytes(memoryview(buffer)[: cramjam.snappy.decompress_raw_into(data, buffer)])
