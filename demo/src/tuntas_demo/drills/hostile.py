"""The worst that an agency's system can write: every codec, batches that inflate, unreadable names, floods, false names."""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c

from tuntas_demo.drills.clients import accept_command
from tuntas_demo.drills.counting import Filed
from tuntas_demo.drills.scene import Scene
from tuntas_demo.drills.topic_log import actions_topic

CODECS = ("gzip", "snappy", "lz4", "zstd")
_GZIP = 1
_BOMB_BYTES = 64 * 1024 * 1024
_FLOOD, _FLOOD_AT_ONCE = 3_000, 500
_CRC_AT, _CRC_FROM = 17, 21


class _Name(str):
    """A header's name that is not UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe" + super().encode(encoding, errors)


def _batch(records: Sequence[tuple[bytes, bytes, Sequence[tuple[str, bytes]]]], codec: int = 0) -> bytes:
    """A record batch as it is sent on the connection."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, _BOMB_BYTES * 2)
    for number, (key, value, headers) in enumerate(records):
        builder.append(number, None, key, value, list(headers))
    return bytes(builder.build())


def _corrupt(batch: bytes) -> bytes:
    """The same batch with bytes of its records changed and a checksum that fits them."""
    spoiled = bytearray(batch)
    for place in range(len(spoiled) - 20, len(spoiled)):
        spoiled[place] ^= 0x5A
    spoiled[_CRC_AT:_CRC_FROM] = struct.pack(">I", _crc32c(bytes(spoiled[_CRC_FROM:])))
    return bytes(spoiled)


def _crc32c(data: bytes) -> int:
    return int(calc_crc32c(data))


class _Ready(BatchBuilder):  # type: ignore[misc]  # the client has no types
    """A batch whose bytes are given."""

    def __init__(self, raw: bytes, count: int) -> None:
        super().__init__(1, 0)
        self._buffer = bytearray(raw)
        self._relative_offset = count
        self._closed = True


async def _send_raw(scene: Scene, agency: str, raw: bytes, count: int) -> bool:
    """Send a whole batch; False where the broker refuses it, which is as good."""
    producer = await scene.clients.producer(agency, enable_idempotence=False, retry_backoff_ms=100, request_timeout_ms=5_000)
    try:
        future = await producer.send_batch(_Ready(raw, count), actions_topic(agency), partition=0)
        await asyncio.wait_for(future, 10)
    except (KafkaError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(producer.stop(), 10)
    return True


async def _worst(scene: Scene, agency: str, cases: Sequence[Filed], over: asyncio.Event) -> None:
    """Everything once, and then bombs, false names and floods without a pause until it is over."""
    topic = actions_topic(agency)
    for codec, case in zip(CODECS, cases, strict=False):
        producer = await scene.clients.producer(agency, compression_type=codec)
        value, headers = accept_command(case.case_id, agency)
        with contextlib.suppress(KafkaError):  # a broker that takes no compressed records from agencies refuses it to its sender
            await producer.send_and_wait(topic, value, key=case.case_id.encode(), headers=headers)
            case.effects["CaseAccepted"] += 1
        await producer.stop()
    cases[4].uncertain = cases[5].uncertain = True
    value, headers = accept_command(cases[4].case_id, agency)
    sound = (cases[4].case_id.encode(), value, headers)
    await _send_raw(scene, agency, _batch([(sound[0], value, [*headers, (_Name("name"), b"?")])]), 1)
    await _send_raw(scene, agency, _corrupt(_batch([sound, sound], _GZIP)), 2)
    bomb = await asyncio.to_thread(_batch, [(sound[0], b"0" * _BOMB_BYTES, headers)], _GZIP)
    await _send_raw(scene, agency, bomb, 1)
    producer = await scene.clients.producer(agency)
    lie, lying = accept_command(cases[5].case_id, agency, source="dispatch")
    await producer.send_and_wait(topic, lie, key=cases[5].case_id.encode(), headers=lying)
    for _ in range(0, _FLOOD, _FLOOD_AT_ONCE):
        await _flood(producer, topic)
    while not over.is_set():
        await _send_raw(scene, agency, bomb, 1)
        await producer.send_and_wait(topic, lie, key=cases[5].case_id.encode(), headers=lying)
        await _flood(producer, topic)


async def _flood(producer: AIOKafkaProducer, topic: str) -> None:
    sent = [await producer.send(topic, os.urandom(200), key=str(uuid4()).encode()) for _ in range(_FLOOD_AT_ONCE)]
    await asyncio.gather(*sent)


@asynccontextmanager
async def at_its_worst(scene: Scene, agency: str, cases: Sequence[Filed]) -> AsyncIterator[None]:
    """Let an agency's system do its worst while the body runs, with at least six of its cases."""
    over = asyncio.Event()
    doing = asyncio.create_task(_worst(scene, agency, cases, over))
    try:
        yield
    finally:
        over.set()
        await doing
