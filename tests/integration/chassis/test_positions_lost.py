"""A database that lost its tail under running processes, as in a fail-over to a copy that was behind: they read it again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tests.support.waiting import until

KEYS = [f"key-{n}" for n in range(20)]
TABLES = ("consumer_offset", "tally", "inbox", "held_input", "outbox")  # positions first: who holds them holds up the others
RESTARTS = ("tuntas_background_restarts_total", "consumer in")
WITHIN_S = 90.0


@dataclass
class Copied(Delivery):
    """The counting service with a copy of its database."""

    async def change(self, *statements: str) -> None:
        """In one transaction of somebody else."""
        app = self.app()
        async with app.database.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await app.database.close()

    async def copy(self) -> None:
        """Keep what the database knows now."""
        await self.change("LOCK TABLE consumer_offset", *(f"CREATE TABLE {table}_kept AS TABLE {table}" for table in TABLES))

    async def fail_over(self) -> None:
        """From now on the database knows only what it knew when it was copied."""
        back = [(f"DELETE FROM {table}", f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table}_kept") for table in TABLES]
        await self.change("LOCK TABLE consumer_offset", *(statement for pair in back for statement in pair))

    async def applied(self, number: int) -> None:
        """Wait until so many messages have had their effect."""

        async def all_are() -> bool:
            return sum(steps for _, steps in (await self.totals()).values()) == number

        await until(all_are, f"{number} are applied", WITHIN_S)


@pytest.fixture
async def copied(servers: Servers) -> AsyncIterator[Callable[..., Copied]]:
    made: list[Copied] = []

    def one(partitions: int = 4) -> Copied:
        base = Delivery.make(servers, partitions=partitions)
        made.append(Copied(servers, base.database_url, base.inputs, base.outputs, partitions))
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


def _rounds(number: int) -> list[tuple[str, Added]]:
    return [(key, Added(amount=1)) for _ in range(number) for key in KEYS]


async def test_what_the_database_lost_is_read_again_when_the_next_record_comes(copied: Callable[..., Copied]) -> None:
    delivery = copied()
    app = await delivery.start()
    await delivery.feed(_rounds(5))
    await delivery.applied(5 * len(KEYS))
    await delivery.copy()
    await delivery.feed(_rounds(10))
    await delivery.applied(15 * len(KEYS))
    await delivery.fail_over()
    await delivery.feed(_rounds(1))
    await delivery.applied(16 * len(KEYS))
    assert await delivery.totals() == dict.fromkeys(KEYS, (16, 16))
    assert (app.metrics.value(*RESTARTS) or 0) >= 1
    rows = await delivery.query("SELECT sum(position) AS read FROM consumer_offset")
    assert rows[0].read == 16 * len(KEYS)


async def test_what_the_database_lost_is_read_again_without_a_new_record(copied: Callable[..., Copied]) -> None:
    delivery = copied()
    app = await delivery.start()
    app._consumers["in"]._verify_every_s = 0.5
    await delivery.copy()  # of one that knew nothing yet
    await delivery.feed(_rounds(10))
    await delivery.applied(10 * len(KEYS))
    await delivery.fail_over()
    await delivery.applied(10 * len(KEYS))
    assert await delivery.totals() == dict.fromkeys(KEYS, (10, 10))
    assert app.metrics.value(*RESTARTS) == 1


async def test_two_replicas_lose_nothing_when_it_happens_between_their_batches(copied: Callable[..., Copied]) -> None:
    delivery = copied()
    delivery.options = {"batch_max": 100}
    await delivery.start()
    await delivery.start()
    await delivery.feed(_rounds(5))
    await delivery.applied(5 * len(KEYS))
    await delivery.copy()
    feeding = asyncio.create_task(delivery.feed(_rounds(200)))

    async def some_are_read() -> bool:
        return sum(steps for _, steps in (await delivery.totals()).values()) > 20 * len(KEYS)

    await until(some_are_read, "some are read", WITHIN_S)
    await delivery.fail_over()
    await feeding
    await delivery.applied(205 * len(KEYS))
    assert await delivery.totals() == dict.fromkeys(KEYS, (205, 205))


async def test_no_replica_is_ready_while_positions_that_another_lost_are_unread(copied: Callable[..., Copied]) -> None:
    """The first to notice starts again; the partitions that it gets afterwards are moved by a rebalance, and others' with them."""
    delivery = copied()
    delivery.options = {"batch_max": 50, "batch_linger_ms": 50}
    for _ in range(2):
        await delivery.start()
    await delivery.copy()
    await delivery.feed(_rounds(100))
    await delivery.applied(100 * len(KEYS))
    await delivery.fail_over()
    await delivery.feed([(KEYS[0], Added(amount=1))])  # one of them notices

    async def unready() -> list[str]:
        return [app.member for app, _ in delivery.running if await app.unready()]

    seen: set[str] = set()

    async def both_start_again() -> bool:
        seen.update(await unready())
        return len(seen) == 2

    await until(both_start_again, "both start again", WITHIN_S)

    async def all_is_read() -> bool:
        ready = not await unready()
        rows = await delivery.query("SELECT coalesce(sum(position), 0) AS read FROM consumer_offset")
        assert not ready or rows[0].read == 100 * len(KEYS) + 1
        return ready

    await until(all_is_read, "both are ready again", WITHIN_S)
    assert (await delivery.totals())[KEYS[1]] == (100, 100)
