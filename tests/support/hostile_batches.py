"""Record batches as no decent client writes them, put on a topic as they are."""

import struct
from collections.abc import Sequence

import cramjam
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c, encode_varint

Headers = Sequence[tuple[bytes, bytes | None]]
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_HEADER = struct.Struct(">qiibIhiqqqhii")


def batch(*records: tuple[bytes | None, bytes | None, Headers], codec: int = 0) -> bytes:
    """A sound batch of these records, compressed by aiokafka's own codec."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 30
    )
    for number, (key, value, headers) in enumerate(records):
        builder.append(number, 1_767_571_200_000, key, value, [(name.decode("latin-1"), v) for name, v in headers])
    return bytes(builder.build())


def raw_batch(payload: bytes, records: int, codec: int = 0) -> bytes:
    """A batch around what its records are said to be; only its checksum is right."""
    time = 1_767_571_200_000
    head = bytearray(_HEADER.pack(0, 49 + len(payload), -1, 2, 0, codec, records - 1, time, time, -1, -1, -1, records))
    whole = bytes(head) + payload
    crc = calc_crc32c(whole[21:])
    return whole[:17] + struct.pack(">I", crc) + whole[21:]


def raw_record(key: bytes | None, value: bytes | None, headers: Headers, number: int = 0) -> bytes:
    """A record whose header names are any bytes."""
    body = bytearray(b"\x00")
    for delta in (0, number):
        encode_varint(delta, body.append)
    for part in (key, value):
        _bytes(body, part)
    encode_varint(len(headers), body.append)
    for name, content in headers:
        _bytes(body, name)
        _bytes(body, content)
    length = bytearray()
    encode_varint(len(body), length.append)
    return bytes(length + body)


def _bytes(body: bytearray, part: bytes | None) -> None:
    encode_varint(-1 if part is None else len(part), body.append)
    body.extend(part or b"")


def bomb(megabytes: int) -> bytes:
    """A small zstd batch with one record of so many million zeros, made without ever holding them."""
    size, chunk = megabytes * 1_000_000, bytes(1_000_000)
    body = bytearray(b"\x00\x00\x00\x01")  # attributes, time, offset, no key
    encode_varint(size, body.append)
    length = bytearray()
    encode_varint(len(body) + size + 1, length.append)
    press = cramjam.zstd.Compressor()
    press.compress(bytes(length + body))
    for _ in range(megabytes):
        press.compress(chunk)
    press.compress(b"\x00")  # no headers
    return raw_batch(bytes(press.finish()), 1, ZSTD)


async def produce(bootstrap: str, topic: str, partition: int, batches: bytes) -> int:
    """Put this on a partition; returns its first offset. Raises what the broker answers."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        node = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        answer = await client.send(node, ProduceRequest(None, -1, 30_000, [(topic, [(partition, batches)])]))
        _, code, offset, *_ = answer.topics[0][1][0]
        if code:
            raise for_code(code)(f"{topic}/{partition}")
        return int(offset)
    finally:
        await client.close()
