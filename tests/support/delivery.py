"""The delivery core with the counting service in it, on real servers: start it, feed it, kill it, look at what it did."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError
from pydantic import SecretStr
from sqlalchemy import text

from tests.support.counting import Added, Asked, Summed, TallyStore, apply_to
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import Envelope

A_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass
class Delivery:
    """One or more replicas of the counting service between an input and an output topic."""

    servers: Servers
    database_url: str
    inputs: str
    outputs: str
    partitions: int
    options: dict[str, Any] = field(default_factory=dict)
    running: list[tuple[ServiceApp, "asyncio.Task[None]"]] = field(default_factory=list)

    @classmethod
    def make(cls, servers: Servers, partitions: int = 4, **options: Any) -> "Delivery":
        """New topics and a new database."""
        return cls(servers, servers.database(), servers.topic("in", partitions), servers.topic("out", partitions), partitions, options)

    def settings(self) -> ServiceSettings:
        """Quick for tests: no lingering."""
        values: dict[str, Any] = {
            "environment": "test",
            "kafka": self.servers.bootstrap,
            "database_url": SecretStr(self.database_url),
            "oidc_issuer": "http://127.0.0.1:1",
            "migrate_on_start": True,
            "batch_linger_ms": 5,
            "outbox_linger_ms": 5,
            "outbox_shards": 4,
            "drain_timeout_s": 5,
        }
        return ServiceSettings(**(values | self.options))

    def app(self) -> ServiceApp:
        """A replica, not started."""
        app = ServiceApp("counting", self.settings(), package="tests.support.counting")
        app.subscribe(Subscription(name="in", topics=[self.inputs], types=[Added, Asked], store=TallyStore(), apply=apply_to(self.outputs)))
        return app

    async def start(self) -> ServiceApp:
        """Start a replica and wait until it has caught up."""
        app = self.app()
        await self.run(app)
        return app

    async def run(self, app: ServiceApp) -> None:
        """Run a replica and wait until it has caught up."""
        self.running.append((app, asyncio.create_task(app.run_delivery())))

        async def ready() -> bool:
            return not await app.unready()

        await until(ready, "the service is ready", 90.0)

    async def stop(self) -> None:
        """End every replica cleanly."""
        for app, _ in self.running:
            app.stop()
        for app, task in self.running:
            await task
            await app.database.close()
        self.running.clear()

    async def crash(self) -> None:
        """End every replica as `kill -9` would: nothing is committed, left or drained any more."""
        for app, task in self.running:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await app.disconnect()
        self.running.clear()

    async def feed(self, messages: Sequence[tuple[str, Contract] | tuple[str, Contract, UUID]]) -> None:
        """Put messages on the input topic, in order."""
        await self.feed_raw(
            [
                (
                    key.encode(),
                    body.model_dump_json().encode(),
                    Envelope(
                        given[0] if given else new_id(), "tests", type(body).__name__, key, datetime(2026, 1, 5, tzinfo=UTC)
                    ).headers(),
                )
                for key, body, *given in messages
            ]
        )

    async def feed_raw(self, records: Sequence[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]) -> None:
        """Put raw records on the input topic, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.servers.bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            futures = [await producer.send(self.inputs, value, key, headers=headers) for key, value, headers in records]
            await asyncio.gather(*futures)
        finally:
            await producer.stop()

    async def recreate_input(self) -> None:
        """The input topic, as after the loss of all brokers' disks."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([self.inputs])

            async def made() -> bool:
                try:
                    answer = await admin.create_topics([NewTopic(self.inputs, self.partitions, 1)])
                except TopicAlreadyExistsError:
                    return False
                return all(error[1] == 0 for error in answer.topic_errors)

            await until(made, "the topic is there again")
        finally:
            await admin.close()

    async def published(self) -> list[tuple[str, Summed, UUID]]:
        """Everything on the output topic: key, body, id; in order within a key."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(self.outputs, p) for p in range(self.partitions)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for r in records:
                        envelope = Envelope.read(r.headers)
                        if envelope.type == "Summed":
                            found.append((r.key.decode(), Summed.model_validate_json(r.value), envelope.id))
            return found
        finally:
            await consumer.stop()

    async def query(self, sql: str) -> list[Any]:
        """Rows of the service's database."""
        app = self.running[0][0] if self.running else self.app()
        async with app.database.connect() as connection:
            return list((await connection.execute(text(sql))).all())

    async def totals(self) -> dict[str, tuple[int, int]]:
        """Sum and steps of every key."""
        return {row.key: (row.total, row.steps) for row in await self.query("SELECT key, total, steps FROM tally")}
