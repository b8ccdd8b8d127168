"""Delivery on a broker and a database in memory."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from tests.support.counting import Added, Summed, Tally
from tests.support.delivery import A_MONDAY
from tests.unit.chassis.dead_letter_behaviour import DeadLetters
from tests.unit.chassis.delivery_behaviour import FaultsAndRestores, Make, OnceAndInOrder
from tests.unit.chassis.delivery_harness import DeliveryUnderTest, FaultyTables, RawRecord
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.messaging.memory.broker import MemoryBroker
from tuntas_chassis.messaging.memory.database import MemoryDatabase, Tables
from tuntas_chassis.messaging.memory.service import MemoryService, memory_settings
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.envelope import Envelope


def _as_postgres_would(row: object) -> None:
    """Refuse a text with a NUL."""
    if isinstance(row, str) and "\x00" in row:
        raise ValueError("invalid byte sequence")


class DeliveryInMemory(DeliveryUnderTest):
    """One replica, which moves when a condition is waited for."""

    def __init__(self, subscription: dict[str, Any], partitions: int, options: dict[str, Any]) -> None:
        super().__init__(subscription)
        self.broker = MemoryBroker()
        self.database = MemoryDatabase(check=_as_postgres_would)
        self._settings = memory_settings(ServiceSettings, **({"batch_linger_ms": 0, "outbox_shards": 4} | options))
        self._partitions = partitions
        for topic in ("in", "out"):
            self.broker.create(topic, partitions)
        self.service = self._process()

    def _process(self) -> MemoryService:
        tables = FaultyTables(self.database, self.faults)
        made = MemoryService("counting", self.broker, self.database, settings=self._settings, tables=tables)
        made.subscribe(self.subscription("in", "out"))
        return made

    @property
    def metrics(self) -> MetricSet:
        return self.service.metrics

    @property
    def dead_letters(self) -> DeadLetterQueue:
        return DeadLetterQueue(self.database, self.service.outbox, self.service.workers)

    async def start(self) -> None:
        self.service = self._process()
        await self.service.run_until_idle()

    async def stop(self) -> None:
        await self.service.run_until_idle()

    async def crash(self) -> None:
        pass

    async def until(self, condition: Callable[[], Awaitable[object]], what: str) -> Any:
        await self.service.run_until_idle()
        found = await condition()
        assert found, f"not: {what}"
        return found

    async def feed_raw(self, records: Sequence[RawRecord]) -> None:
        for key, value, headers in records:
            self.broker.append("in", key, value, headers)

    async def published(self) -> list[tuple[str, Summed, UUID]]:
        found = []
        for r in self.broker.records("out"):
            found.append(((r.key or b"").decode(), Summed.model_validate_json(r.value or b""), Envelope.read(r.headers).id))
        return found

    async def totals(self) -> dict[str, tuple[int, int]]:
        states: dict[str, Tally] = self.database.tables.states.get(self.store, {})
        return {key: (state.total, state.steps) for key, state in states.items()}

    async def backup(self) -> Tables:
        return self.database.tables.copy()

    async def restore(self, backup: object) -> None:
        assert isinstance(backup, Tables)
        self.database.tables = backup.copy()

    async def set_positions(self, position: int) -> None:
        self.database.tables.positions = dict.fromkeys(self.database.tables.positions, position)

    async def forget_inbox(self) -> None:
        self.database.tables.inbox.clear()

    async def forget_catching_up(self) -> None:
        for one in self.database.tables.dead_letters.rows:
            self.database.tables.dead_letters.change(one, catching_up=False)

    async def set_group_offsets(self, offset: int) -> None:
        self.broker.committed["counting.in"] = dict.fromkeys(self.broker.partitions_of(["in"]), offset)

    async def recreate_input(self) -> None:
        self.broker.create("in", self._partitions)

    async def resume_halted(self) -> None:
        await self.service.resume_halted()


@pytest.fixture
def make() -> Make:
    def one(partitions: int = 4, subscription: dict[str, Any] | None = None, **options: Any) -> DeliveryUnderTest:
        return DeliveryInMemory(subscription or {}, partitions, options)

    return one


class TestOnceAndInOrder(OnceAndInOrder):
    """In memory."""


class TestFaultsAndRestores(FaultsAndRestores):
    """In memory."""

    async def test_a_topic_that_is_recreated_under_a_running_consumer_is_halted(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
        await delivery.reach({"a": (5, 5)})
        await delivery.recreate_input()
        await delivery.feed([("a", Added(amount=1)) for _ in range(2)])
        await delivery.halted()
        await delivery.resume_halted()  # of no use: it sees again that the log is cut, and skips nothing
        await delivery.halted()
        await delivery.reach({"a": (5, 5)})

    async def test_a_message_without_a_topic_waits_and_blocks_no_other(self) -> None:
        broker, database = MemoryBroker(), MemoryDatabase()
        broker.create("out", 1)
        service = MemoryService("counting", broker, database)
        topics = ("out", "missing", "out", "missing")
        messages = [Outgoing(topic, "a", Summed(total=0, steps=n), A_MONDAY) for n, topic in enumerate(topics)]
        async with database.begin() as transaction:
            await transaction.publish(service.outbox, messages, [""] * 4)
        assert await service.relay() == 2
        broker.create("missing", 1)
        assert await service.relay() == 2
        steps = [[Summed.model_validate_json(r.value or b"").steps for r in broker.records(topic)] for topic in ("out", "missing")]
        assert steps == [[0, 2], [1, 3]]
        assert database.tables.outbox == []

    async def test_messages_of_a_rolled_back_transaction_are_never_published(self) -> None:
        broker, database = MemoryBroker(), MemoryDatabase()
        broker.create("out", 1)
        service = MemoryService("counting", broker, database)

        async def fail() -> None:
            async with database.begin() as transaction:
                await transaction.publish(service.outbox, [Outgoing("out", "a", Summed(total=0, steps=0), A_MONDAY)], [""])
                raise RuntimeError("rolled back")

        with pytest.raises(RuntimeError, match="rolled back"):
            await fail()
        assert await service.relay() == 0


class TestDeadLetters(DeadLetters):
    """In memory."""
