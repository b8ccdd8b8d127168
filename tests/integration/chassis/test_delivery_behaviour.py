"""Delivery on real Kafka and PostgreSQL: the behaviours that it has in memory too."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from tests.support.counting import Summed
from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tests.unit.chassis.dead_letter_behaviour import DeadLetters
from tests.unit.chassis.delivery_behaviour import FaultsAndRestores, Make, OnceAndInOrder
from tests.unit.chassis.delivery_harness import DeliveryUnderTest, FaultyTables, RawRecord
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.telemetry.metrics import MetricSet

# positions first: who holds them holds up the others
TABLES = ("consumer_offset", "tally", "inbox", "held_input", "answered_position", "outbox", "parked_message")


class DeliveryOnServers(DeliveryUnderTest):
    """One replica of the counting service on topics and a database of its own."""

    def __init__(self, servers: Servers, subscription: dict[str, Any], partitions: int, options: dict[str, Any]) -> None:
        super().__init__(subscription)
        self.delivery = Delivery.make(servers, partitions, **options)
        self._backups = 0

    @property
    def app(self) -> ServiceApp:
        """The replica that runs."""
        return self.delivery.running[0][0]

    @property
    def metrics(self) -> MetricSet:
        return self.app.metrics

    @property
    def dead_letters(self) -> DeadLetterQueue:
        return DeadLetterQueue(self.app.tables, self.app.outbox, self.app.workers)

    async def start(self) -> None:
        app = ServiceApp("counting", self.delivery.settings(), package="tests.support.counting")
        app.tables = FaultyTables(app.tables, self.faults)
        app.subscribe(self.subscription(self.delivery.inputs, self.delivery.outputs))
        await self.delivery.run(app)

    async def stop(self) -> None:
        await self.delivery.stop()

    async def crash(self) -> None:
        await self.delivery.crash()

    async def until(self, condition: Callable[[], Awaitable[object]], what: str) -> Any:
        return await until(condition, what, 90.0)

    async def feed_raw(self, records: Sequence[RawRecord]) -> None:
        await self.delivery.feed_raw([(key, value, list(headers)) for key, value, headers in records])

    async def published(self) -> list[tuple[str, Summed, UUID]]:
        return await self.delivery.published()

    async def totals(self) -> dict[str, tuple[int, int]]:
        return await self.delivery.totals()

    async def _change(self, *statements: str) -> None:
        app = self.delivery.app()
        async with app.database.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await app.database.close()

    async def backup(self) -> str:
        self._backups += 1
        name = f"kept_{self._backups}"
        copies = [f"CREATE TABLE {name}_{table} AS TABLE {table}" for table in TABLES]
        await self._change("LOCK TABLE consumer_offset", *copies)
        return name

    async def restore(self, backup: object) -> None:
        pairs = [
            (f"DELETE FROM {table}", f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {backup}_{table}") for table in TABLES
        ]
        await self._change("LOCK TABLE consumer_offset", *(statement for pair in pairs for statement in pair))

    async def set_positions(self, position: int) -> None:
        await self._change(f"UPDATE consumer_offset SET position = {position}")

    async def forget_inbox(self) -> None:
        await self._change("DELETE FROM inbox")

    async def forget_catching_up(self) -> None:
        await self._change("UPDATE parked_message SET catching_up = false")

    async def set_group_offsets(self, offset: int) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.delivery.servers.bootstrap, group_id="counting.in", enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(self.delivery.inputs, number) for number in range(self.delivery.partitions)]
            consumer.assign(partitions)
            await consumer.commit(dict.fromkeys(partitions, offset))
        finally:
            await consumer.stop()

    async def recreate_input(self) -> None:
        await self.delivery.recreate_input()

    async def resume_halted(self) -> None:
        await self.app.resume_halted()


@pytest.fixture
async def make(servers: Servers) -> AsyncIterator[Make]:
    made: list[DeliveryOnServers] = []

    def one(partitions: int = 4, subscription: dict[str, Any] | None = None, **options: Any) -> DeliveryUnderTest:
        made.append(DeliveryOnServers(servers, subscription or {}, partitions, options))
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


class TestOnceAndInOrder(OnceAndInOrder):
    """On servers."""


class TestFaultsAndRestores(FaultsAndRestores):
    """On servers."""


class TestDeadLetters(DeadLetters):
    """On servers."""
