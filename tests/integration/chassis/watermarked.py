"""A replica that publishes watermarks of its output topic several times a second, and all that both topics hold."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from sqlalchemy import text

from tests.support.counting import Added, Summed, TallyStore, apply_to
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.messaging.watermarks import WatermarkScope
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import WATERMARKS
from tuntas_contracts.watermarks import WatermarkAdvanced

PARTITIONS = 4


@dataclass(frozen=True)
class Event:
    """An event of the output topic."""

    partition: int
    offset: int
    time: datetime


class Watermarked:
    """The replica, and the reader of its topics."""

    def __init__(self, delivery: Delivery, **subscription: Any) -> None:
        """With arguments it reads the input topic, or what they name, and its watermarks wait for that."""
        self.delivery = delivery
        self.topic = delivery.servers.topic("watermarks", PARTITIONS, **WATERMARKS.config)
        scope = WatermarkScope(delivery.outputs, self.topic)
        self.app = ServiceApp("counting", delivery.settings(), package="tests.support.counting", watermarks=scope)
        if subscription:
            apply = apply_to(delivery.outputs)
            options: dict[str, Any] = {
                "topics": [delivery.inputs],
                "types": [Added],
                "store": TallyStore(),
                "apply": apply,
                "delays_watermarks": True,
            }
            self.app.subscribe(Subscription(name="in", **(options | subscription)))

    async def start(self) -> None:
        """Start it and wait for its first watermarks."""
        self.delivery.running.append((self.app, asyncio.create_task(self.app.run_delivery())))
        await self.until_advanced()

    async def _records(self, topic: str) -> list["ConsumerRecord[bytes, bytes]"]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.delivery.servers.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[ConsumerRecord[bytes, bytes]] = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(records)
            return found
        finally:
            await consumer.stop()

    async def events(self) -> list[Event]:
        """Every event of the output topic."""
        return [Event(r.partition, r.offset, Envelope.read(r.headers).time) for r in await self._records(self.delivery.outputs)]

    async def watermarks(self) -> list[WatermarkAdvanced]:
        """Every watermark, in the order in which they were appended."""
        records = sorted(await self._records(self.topic), key=lambda r: r.timestamp)
        return [WatermarkAdvanced.model_validate_json(r.value or b"") for r in records]

    async def lowest(self) -> datetime:
        """The time that all partitions have reached."""
        reached: dict[int, datetime] = {}
        for watermark in await self.watermarks():
            for p in watermark.partitions:
                reached[p.partition] = max(p.at, reached.get(p.partition, p.at))
        assert len(reached) == PARTITIONS
        return min(reached.values())

    async def highest(self) -> datetime:
        """The latest time that any watermark has."""
        return max(p.at for watermark in await self.watermarks() for p in watermark.partitions)

    async def until_advanced(self, past: datetime | None = None) -> None:
        """Wait until the watermarks of all partitions have passed `past`, or now."""
        moment = past or self.app.clock.now()

        async def passed() -> bool:
            covered = {p.partition for watermark in await self.watermarks() for p in watermark.partitions}
            return len(covered) == PARTITIONS and await self.lowest() > moment

        await until(passed, f"every partition has a watermark later than {moment}")

    async def write(self, topic: str, key: str) -> None:
        """Publish an event of now by the outbox."""
        async with self.app.database.begin() as connection:
            await connection.execute(text("SELECT 1"))
            await self.app.outbox.write(connection, [summed(topic, key, self.app.clock.now())])
        self.app.outbox.written()


def summed(topic: str, key: str, time: datetime) -> Outgoing:
    """Some event."""
    return Outgoing(topic, key, Summed(total=0, steps=0), time)


def assert_promises_kept(watermarks: list[WatermarkAdvanced], events: list[Event]) -> None:
    """Nothing older than a watermark's time is at its end offset or beyond."""
    for watermark in watermarks:
        for p in watermark.partitions:
            late = [e for e in events if e.partition == p.partition and e.offset >= p.end_offset and e.time < p.at]
            assert late == [], f"{p} was published before {late}"
