"""What can't be read or handled is parked with its reason; its key waits, all other keys continue."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.support.counting import Added
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.dead_letters import purge_resolved
from tuntas_contracts.envelope import Envelope

GOOD = b'{"amount": 1}'


def headers(kind: str = "Added") -> list[tuple[str, bytes]]:
    return Envelope(new_id(), "tests", kind, "x", A_MONDAY).headers()


@pytest.fixture
async def make(servers: Servers) -> AsyncIterator[Callable[..., Delivery]]:
    made: list[Delivery] = []

    def one(**options: Any) -> Delivery:
        made.append(Delivery.make(servers, **options))
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


async def _reach(delivery: Delivery, wanted: dict[str, tuple[int, int]]) -> None:
    async def reached() -> bool:
        totals = await delivery.totals()
        return all(totals.get(key) == value for key, value in wanted.items())

    await until(reached, f"{wanted}, at {await delivery.totals()}")


async def _parked(delivery: Delivery) -> list[Any]:
    return await delivery.query("SELECT * FROM parked_message WHERE state IN ('parked', 'waiting') ORDER BY id")


async def test_a_thousand_malformed_records_block_no_other_key(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    malformed: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
        (b"bad-json", b"{not json", headers()),
        (b"bad-schema", b'{"amount": "many"}', headers()),
        (b"no-headers", GOOD, []),
        (None, GOOD, headers()),
        (b"\xff\xfe", GOOD, headers()),
        (b"huge", b"x" * 900_000, headers()),
        (b"bad-header", GOOD, [("ce_type", b"\xff"), ("ce_id", b"1")]),
        (b"unknown-type", GOOD, headers("FromTheFuture")),
    ]
    records = []
    for n in range(1000):
        big = n % 8 == 5 and n > 40  # five of nearly 1 MB are enough
        records.append(malformed[n % 8] if not big else malformed[0])
        records.append((f"good-{n % 10}".encode(), GOOD, headers()))
    await delivery.feed_raw(records)
    await _reach(delivery, {f"good-{n}": (100, 100) for n in range(10)})
    app = delivery.running[0][0]

    async def counted() -> bool:
        return app.metrics.value("tuntas_consumer_events_total", "counting.in", "other", "skipped") == 125

    await until(counted, "unknown types are skipped and counted")
    parked = await _parked(delivery)
    assert len(parked) == 875
    assert {row.error_type for row in parked} == {"Undecodable"}
    assert any("amount" in row.error for row in parked), "the reason names the field"
    assert not [row for row in parked if row.key and row.key.startswith("good")]


async def test_many_operators_resolve_a_message_once(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    keys = [f"a{n}" for n in range(20)]
    for key in keys:
        await delivery.feed([(key, Added(amount=10, fail=True)), (key, Added(amount=2)), (key, Added(amount=3))])

    async def all_wait() -> bool:
        return len(await _parked(delivery)) == 3 * len(keys)

    await until(all_wait, "one of each key is parked and two wait")
    app = delivery.running[0][0]
    lots = [DeadLetterQueue(app.tables, app.outbox, app.workers) for _ in range(6)]
    for key in keys:
        first, _, last = await lots[0].list(UUID(int=0), 10, key=key)
        calls = [dead_letters.discard(first.id, f"operator-{n}") for n, dead_letters in enumerate(lots)]
        done = await asyncio.gather(*calls, lots[0].replay(last.id, "siti"), return_exceptions=True)
        refused = [one for one in done[:-1] if isinstance(one, Problem)]
        assert [one.status for one in refused] == [409] * 5, done
        assert [one for one in done if isinstance(one, Exception) and not isinstance(one, Problem)] == []
        assert (await delivery.totals())[key] == (5, 2), "what waited took effect once"
    with pytest.raises(Problem, match="discarded"):
        await lots[0].replay(first.id, "late")


async def test_resolved_messages_are_kept_for_a_while(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed([("a", Added(amount=10, fail=True)), ("b", Added(amount=10, fail=True))])

    async def two() -> bool:
        return len(await _parked(delivery)) == 2

    await until(two, "both are parked")
    app = delivery.running[0][0]
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    await dead_letters.discard((await dead_letters.list(UUID(int=0), 10, key="a"))[0].id, "siti", "a mistake")
    async with app.database.begin() as connection:
        assert await purge_resolved(connection, 90, 100) == 0
        await connection.execute(text("UPDATE parked_message SET settled_at = settled_at - interval '91 days'"))
        assert await purge_resolved(connection, 90, 100) == 1
    assert [m.key for m in await dead_letters.list(UUID(int=0), 10)] == ["b"], "what waits stays, however old it is"
