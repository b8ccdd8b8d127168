"""A service on a broker and a database in memory: it moves only when a test says so, and never sleeps."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import SecretStr

from tuntas_chassis.clock import Clock, SystemClock
from tuntas_chassis.messaging.batch import BatchWorker
from tuntas_chassis.messaging.consumer import BatchConsumer
from tuntas_chassis.messaging.delivery_tables import DeliveryTables
from tuntas_chassis.messaging.draining import Draining
from tuntas_chassis.messaging.memory.broker import MemoryBroker, MemoryClient
from tuntas_chassis.messaging.memory.database import MemoryDatabase, Unsent
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.subscription import Stateless, Subscription
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, Metric, MetricSet
from tuntas_chassis.telemetry.tracing import Tracing
from tuntas_contracts.envelope import Envelope

ST = TypeVar("ST", bound=ServiceSettings)
_MOST_RETRIES = 100
_MOST_STEPS = 1_000


class KeptInMemory(Stateless[Any]):
    """Replaces a subscription's store: the database in memory keeps the states itself, and lists the rows."""

    async def save(self, connection: object, states: Sequence[Any], rows: Sequence[object]) -> None:
        """Not for a real database."""
        raise TypeError("this store is for a database in memory only")


def memory_settings(kind: type[ST], **options: Any) -> ST:
    """Settings of this kind with these options; the addresses lead nowhere."""
    values: dict[str, Any] = {
        "environment": "test",
        "kafka": "127.0.0.1:1",
        "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        "oidc_issuer": "http://127.0.0.1:1",
    }
    return kind(**(values | options))


class MemoryConsumer(BatchConsumer):
    """The consumer with a client in memory in the place of FastStream; all partitions are its own."""

    def __init__(self, broker: MemoryBroker, worker: BatchWorker[Any], settings: ServiceSettings, *others: Any) -> None:
        super().__init__(worker, settings, *others, verify_every_s=0.0)
        self._kafka_in_memory = broker
        self._retries = 0

    async def start(self) -> None:
        """Join, and continue where the database says."""
        wanted = self.subscription.matches
        client: Any = MemoryClient(self._kafka_in_memory, self.consumer_name, [t for t in self._kafka_in_memory.topics if wanted(t)])
        self._subscriber = self._broker = client
        await self.on_partitions_revoked(set())
        assigned = set(self._kafka_in_memory.partitions_of(client.subscription()))
        client.assign(assigned)
        await self.on_partitions_assigned(assigned)

    def _take_over(self) -> None:
        client = self._kafka
        if client is not None and client is not self._taken_over:
            self._taken_over = client
            Draining(self.consumer_name, client, self._fetching, self._continuity, self._going, self._note_gap)

    async def _pause(self, seconds: float) -> None:
        self._retries += 1
        if self._retries > _MOST_RETRIES:
            raise RuntimeError("the same work failed again and again")
        await asyncio.sleep(0)

    async def read(self, most: int) -> int:
        """Handle one batch of `most` records at most; how many it had."""
        self._retries = 0
        drained = await self._kafka.getmany(max_records=most) if self._kafka is not None else {}
        records = [record for of_partition in drained.values() for record in of_partition]
        if records:
            await self.process(records)
        return len(records)

    async def look_round(self) -> None:
        """As the real one, and restart where the database has lost positions."""
        await super().look_round()
        if self.is_stalled():
            await self.restart()


class MemoryService:
    """The delivery of one process. A crash is to drop it; another one on the same broker and database continues."""

    def __init__(
        self,
        service: str,
        broker: MemoryBroker,
        database: MemoryDatabase,
        *,
        settings: ServiceSettings | None = None,
        clock: Clock | None = None,
        metrics: Sequence[Metric] | MetricSet = (),
        tables: DeliveryTables | None = None,
    ) -> None:
        """`tables` is what the core sees of the database, where that is not the database itself."""
        self.service = str(service)
        self.settings = settings or memory_settings(ServiceSettings)
        self.broker = broker
        self.database = database
        self.tables: DeliveryTables = tables or database
        self.clock: Clock = clock or SystemClock()
        self.metrics = metrics if isinstance(metrics, MetricSet) else MetricSet((*CHASSIS_METRICS, *metrics))
        self.tracing = Tracing(self.service, self.settings)
        self.outbox = Outbox(self.settings.outbox_shards, lambda: None, lambda: False)
        self.workers: dict[str, BatchWorker[Any]] = {}
        self.consumers: dict[str, MemoryConsumer] = {}
        self._reading: set[str] = set()

    def restart(self) -> None:
        """Drop all that this process knows, as its end would, and be another one that has not begun to read."""
        subscriptions = [consumer.subscription for consumer in self.consumers.values()]
        self._reading.clear()
        for subscription in subscriptions:
            self.subscribe(subscription)

    def subscribe(self, subscription: Subscription[Any]) -> None:
        """Read topics, which must be there when the service begins to read."""
        worker = BatchWorker(subscription, self.service, self.tables, self.outbox, self.clock, self.tracing, self.metrics)
        self.workers[worker.consumer] = worker
        self.consumers[subscription.name] = MemoryConsumer(self.broker, worker, self.settings, self.tables, self.clock, self.metrics)

    def caught_up(self) -> bool:
        """Whether all is read that was on the topics at the start."""
        return all(c.caught_up for c in self.consumers.values() if c.subscription.gates_readiness)

    async def start(self) -> None:
        """Begin each subscription that may begin by now: those that it comes after have read what was there."""
        for name, consumer in self.consumers.items():
            wanted = consumer.subscription
            if name in self._reading or not all(self.consumers[one].caught_up for one in wanted.after if one in self.consumers):
                continue
            if wanted.before_start is not None:
                await wanted.before_start()
            await consumer.start()
            self._reading.add(name)

    async def read(self, name: str, most: int | None = None) -> int:
        """A batch of one subscription; how many records it had."""
        await self.start()
        return await self.consumers[name].read(most or self.settings.batch_max)

    async def look_round(self) -> None:
        """What each subscription does every second or so: decide on held inputs, notice that the database was put back."""
        for consumer in self.consumers.values():
            await consumer.look_round()

    async def relay(self, most: int | None = None, *, dies_before_deleting: bool = False) -> int:
        """Publish what is oldest in the outbox, `most` messages at most; how many. What has no topic waits and holds up nothing else."""
        unsent = [row for row in self.database.tables.outbox if row.topic in self.broker.topics][:most]
        for row in unsent:
            self.broker.append(row.topic, row.key.encode(), row.value, self._headers(row))
            if not dies_before_deleting:
                self.database.tables.outbox.remove(row)
        return len(unsent)

    def _headers(self, row: Unsent) -> list[tuple[str, bytes]]:
        return Envelope(row.message_id, self.service, row.type, row.key, row.time, row.traceparent).headers()

    async def step(self) -> bool:
        """A batch of each subscription, then the outbox; whether anything moved."""
        before, reading = self.database.tables, len(self._reading)
        read = [await self.read(name) for name in self.consumers]
        await self.look_round()
        sent = await self.relay()
        return any(read) or sent > 0 or before != self.database.tables or reading != len(self._reading)

    async def run_until_idle(self) -> None:
        """Step until nothing moves any more."""
        for _ in range(_MOST_STEPS):
            if not await self.step():
                return
        raise RuntimeError(f"{self.service} still moves after {_MOST_STEPS} steps")

    async def resume_halted(self) -> int:
        """Resume every halted partition; returns how many."""
        return sum([await consumer.resume_halted() for consumer in self.consumers.values()])
