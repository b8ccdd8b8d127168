"""The delivery core on real Kafka and PostgreSQL: once in effect, in order, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.service import ServiceApp

KEYS = [f"key-{n}" for n in range(20)]


@pytest.fixture
async def make(servers: Servers) -> AsyncIterator[Callable[..., Delivery]]:
    made: list[Delivery] = []

    def one(**options: Any) -> Delivery:
        made.append(Delivery.make(servers, **options))
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


async def _all_published(delivery: Delivery, number: int) -> None:
    async def there() -> bool:
        return len({i for _, _, i in await delivery.published()}) >= number

    await until(there, f"{number} sums are published")


def _in_order(published: list[Any]) -> dict[str, list[int]]:
    """Steps by key in order of first appearance of each message id."""
    seen: set[object] = set()
    steps: dict[str, list[int]] = {}
    for key, body, identity in published:
        if identity not in seen:
            seen.add(identity)
            steps.setdefault(key, []).append(body.steps)
    return steps


async def test_two_replicas_and_a_rebalance_double_and_reorder_nothing(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    feeding = asyncio.create_task(delivery.feed([(key, Added(amount=1)) for _ in range(100) for key in KEYS]))
    await delivery.start()
    await feeding
    await delivery.feed([(key, Added(amount=1)) for _ in range(50) for key in KEYS])
    first, task = delivery.running.pop(0)
    first.stop()
    await task
    await first.database.close()
    await delivery.feed([(key, Added(amount=1)) for _ in range(50) for key in KEYS])
    await _all_published(delivery, 200 * len(KEYS))
    assert await delivery.totals() == dict.fromkeys(KEYS, (200, 200))
    assert _in_order(await delivery.published()) == {key: list(range(1, 201)) for key in KEYS}


async def test_servers_killed_in_the_middle_lose_nothing(make: Callable[..., Delivery], servers: Servers) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed([(key, Added(amount=1)) for _ in range(100) for key in KEYS])
    for part in ("postgres", "kafka"):
        await asyncio.to_thread(servers.kill, part)
        await asyncio.to_thread(servers.restart, part)
        await delivery.feed([(key, Added(amount=1)) for _ in range(50) for key in KEYS])
    await _all_published(delivery, 200 * len(KEYS))
    assert await delivery.totals() == dict.fromkeys(KEYS, (200, 200))
    assert _in_order(await delivery.published()) == {key: list(range(1, 201)) for key in KEYS}


async def test_a_stalled_consumer_is_restarted(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.feed([("a", Added(amount=1))])
    app = delivery.app()
    consumer = app._consumers["in"]
    consumer._stalled_after_s = 1.0
    assigned, times = consumer.on_partitions_assigned, []

    async def fails_at_first(partitions: set[Any]) -> None:
        times.append(len(partitions))
        if len(times) == 1:
            raise OSError("the client library swallows this, and the consumer continues from a wrong position")
        await assigned(partitions)

    consumer.on_partitions_assigned = fails_at_first  # type: ignore[method-assign, assignment]
    await delivery.run(app)
    await _all_published(delivery, 1)
    assert len(times) > 1
    assert app.metrics.value("tuntas_background_restarts_total", "consumer in") == 1


async def _rests(app: ServiceApp) -> None:
    """Wait until its fetches wait for two minutes."""
    fetching = app._consumers["in"]._fetching
    fetching.idle_wait_ms = 120_000

    async def rests() -> bool:
        return fetching.waits_long

    await until(rests, "an idle consumer's fetches wait long")


async def test_after_an_idle_time_nothing_waits_for_a_fetch_under_way(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await _rests(await delivery.start())
    for number in range(1, 6):  # while one is handled the next comes, on the same partition
        await delivery.feed([("a", Added(amount=1))])
        if number > 2:
            await _all_published(delivery, number)


async def test_a_replica_that_joins_an_idle_one_does_not_wait_for_its_fetch(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await _rests(await delivery.start())
    await delivery.start()
    await delivery.feed([(key, Added(amount=1)) for key in KEYS])
    await _all_published(delivery, len(KEYS))
