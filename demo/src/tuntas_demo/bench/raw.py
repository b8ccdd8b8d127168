"""The raw pipeline: the same bytes through the same hops by bare aiokafka, and the same rows by COPY. What no platform can beat."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import time
from uuid import uuid4

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tuntas_demo.bench.accounting import cpu_seconds, spent
from tuntas_devstack.kafka.access import aiokafka_settings, client_settings
from tuntas_devstack.state import StackState
from tuntas_embedded.folder import StackFolder
from tuntas_operations.topics import TopicSpec, create_topics

_PARTITIONS = 24
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class RawMeasurement:
    """Reports per second and CPU-ms per report of bare clients, broker and database included."""

    reports_per_s: float
    cpu_ms_per_report: float


def measure_raw(folder: StackFolder, state: StackState, admin_url: str, bodies: Sequence[bytes]) -> RawMeasurement:
    """Bytes to a cases topic, from there on to it again and to an agency's topic; a row for each of five services by COPY."""
    name = f"raw.{uuid4().hex[:8]}"
    topics = [TopicSpec(f"{name}.{hop}", _PARTITIONS) for hop in ("submitted", "forwarded", "assigned")]
    create_topics(state.kafka, topics, client=client_settings(folder))
    kafka = {"bootstrap_servers": state.kafka, **aiokafka_settings(folder)}
    around = [part for part in state.parts if part.kind in ("kafka", "postgres")]
    before, own_before = cpu_seconds(around), _own_cpu()
    begun = time()
    asyncio.run(_run(kafka, admin_url, name, bodies))
    seconds = time() - begun
    cost = sum(spent(before, cpu_seconds(around), len(bodies)).values()) + (_own_cpu() - own_before) * 1000 / len(bodies)
    return RawMeasurement(len(bodies) / seconds, round(cost, 3))


def _own_cpu() -> float:
    times = psutil.Process(os.getpid()).cpu_times()
    return times.user + times.system


async def _run(kafka: Mapping[str, str], admin_url: str, name: str, bodies: Sequence[bytes]) -> None:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, max_batch_size=262_144, linger_ms=20, **kafka)
    await producer.start()
    database = await asyncpg.connect(admin_url)
    try:
        for service in range(5):
            await database.execute(f'CREATE TABLE "{name}_{service}" (id uuid, body bytea)')
        hops = [
            asyncio.create_task(_hop(kafka, producer, f"{name}.submitted", f"{name}.forwarded", len(bodies))),
            asyncio.create_task(_hop(kafka, producer, f"{name}.forwarded", f"{name}.assigned", len(bodies))),
            asyncio.create_task(_hop(kafka, producer, f"{name}.assigned", None, len(bodies))),
        ]
        for start in range(0, len(bodies), _CHUNK):
            chunk = bodies[start : start + _CHUNK]
            for body in chunk:
                json.loads(body)
            ids = [uuid4() for _ in chunk]
            for service in range(5):
                await database.copy_records_to_table(f"{name}_{service}", records=list(zip(ids, chunk, strict=True)))
            futures = [await producer.send(f"{name}.submitted", body, i.bytes) for i, body in zip(ids, chunk, strict=True)]
            await asyncio.gather(*futures)
        await asyncio.gather(*hops)
    finally:
        for service in range(5):
            await database.execute(f'DROP TABLE IF EXISTS "{name}_{service}"')
        await database.close()
        await producer.stop()


async def _hop(kafka: Mapping[str, str], producer: AIOKafkaProducer, source: str, target: str | None, count: int) -> None:
    consumer = AIOKafkaConsumer(source, auto_offset_reset="earliest", enable_auto_commit=False, **kafka)
    await consumer.start()
    try:
        seen = 0
        while seen < count:
            futures = []
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                seen += len(records)
                if target is not None:
                    futures += [await producer.send(target, r.value, r.key) for r in records]
            await asyncio.gather(*futures)
    finally:
        await consumer.stop()


Measure = Callable[[StackFolder, StackState, str, Sequence[bytes]], RawMeasurement]
