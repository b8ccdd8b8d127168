"""A replica is ready when all that was on the topics at its start is read, whoever read it and whatever a rebalance moves meanwhile."""

import asyncio
from collections.abc import Callable, Sequence

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.service import ServiceApp

RECORDS = 20_000
FEW = 4_000
KEYS = [f"key-{n}" for n in range(200)]
WITHIN_S = 120.0


class Watch:
    """Replicas that begin while so many records are on the topic, looked at again and again until each is ready."""

    def __init__(self, delivery: Delivery, records: int = RECORDS) -> None:
        self._delivery = delivery
        self._records = records
        self.read = 0
        self.too_early: list[str] = []
        self._ready: set[str] = set()

    async def look(self, replicas: Sequence[ServiceApp]) -> None:
        """A replica that says it is ready must be right."""
        ready = [app.member for app in replicas if not await app.unready()]
        rows = await self._delivery.query("SELECT coalesce(sum(position), 0) AS read FROM consumer_offset")
        self.read = int(rows[0].read)
        self._ready.update(ready)
        if self.read < self._records:
            self.too_early += [f"{name} after {self.read}" for name in ready]

    async def until_read(self, share: float) -> None:
        """Wait until so much of it was read."""

        async def reached() -> bool:
            await self.look([app for app, _ in self._delivery.running])
            return self.read >= share * self._records

        await until(reached, f"{share} is read", WITHIN_S)

    async def until_all_are_ready(self) -> None:
        """Wait until every replica that runs is ready."""

        async def all_are() -> bool:
            replicas = [app for app, _ in self._delivery.running]
            await self.look(replicas)
            return self._ready >= {app.member for app in replicas}

        await until(all_are, "all are ready", WITHIN_S)


def _join(delivery: Delivery) -> None:
    app = delivery.app()
    delivery.running.append((app, asyncio.create_task(app.run_delivery())))


async def test_no_replica_is_ready_before_all_is_read_and_each_is_in_the_end(make: Callable[..., Delivery]) -> None:
    delivery = make(batch_max=200, batch_linger_ms=50)
    await delivery.app().migrate()
    await delivery.feed([(KEYS[n % len(KEYS)], Added(amount=1)) for n in range(RECORDS)])
    watch = Watch(delivery)
    _join(delivery)
    await watch.until_read(0.1)
    _join(delivery)
    await watch.until_read(0.3)
    _join(delivery)
    await watch.until_read(0.5)
    first, task = delivery.running.pop(0)
    first.stop()
    await task
    await first.database.close()
    assert watch.read < RECORDS, "there was something left to read when it left"
    await watch.until_all_are_ready()
    assert watch.too_early == []
    assert await delivery.totals() == dict.fromkeys(KEYS, (RECORDS // len(KEYS), RECORDS // len(KEYS)))


async def test_a_replica_that_gets_no_partition_is_ready_when_the_other_has_read(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1, batch_max=200, batch_linger_ms=100)
    await delivery.app().migrate()
    await delivery.feed([(KEYS[n % len(KEYS)], Added(amount=1)) for n in range(FEW)])
    watch = Watch(delivery, FEW)
    for _ in range(2):
        _join(delivery)
    await watch.until_all_are_ready()
    assert watch.too_early == []
