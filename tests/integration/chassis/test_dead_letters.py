"""What can't be read or handled is parked with its reason; its key waits, everyone else goes on."""

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
from tuntas_chassis.messaging.dead_letters import purge_settled
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


async def test_a_thousand_garbage_records_hold_up_nobody_else(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    garbage: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
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
        records.append(garbage[n % 8] if not big else garbage[0])
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


async def test_later_messages_of_the_key_wait_and_are_replayed_in_order(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed([("a", Added(amount=1)), ("a", Added(amount=10, fail=True)), ("b", Added(amount=1))])
    await delivery.feed([("a", Added(amount=2)), ("a", Added(amount=3)), ("b", Added(amount=1))])
    await _reach(delivery, {"a": (1, 1), "b": (2, 2)})

    async def three() -> bool:
        return [row.state for row in await _parked(delivery)] == ["parked", "waiting", "waiting"]

    await until(three, "one is parked and two wait behind it")
    app = delivery.running[0][0]
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    first = (await dead_letters.list(UUID(int=0), 10))[0]
    failed = await dead_letters.replay(first.id, "operator")
    assert (failed.replayed, failed.waiting) == (0, 3)
    assert "told to fail" in str(failed.error)
    result = await dead_letters.discard(first.id, "operator")
    assert result.replayed == 2
    await _reach(delivery, {"a": (6, 3)})
    await delivery.feed([("a", Added(amount=4))])
    await _reach(delivery, {"a": (10, 4)})


async def test_who_settled_what_when_and_why_is_kept(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed([("a", Added(amount=10, fail=True)), ("a", Added(amount=2)), ("b", Added(amount=10, fail=True))])

    async def three() -> bool:
        return len(await _parked(delivery)) == 3

    await until(three, "both keys are parked")
    app = delivery.running[0][0]
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    first = (await dead_letters.list(UUID(int=0), 10, key="a"))[0]
    assert (await dead_letters.list(UUID(int=0), 10, settled=True)) == []
    await dead_letters.discard(first.id, "siti", "sent twice by mistake")
    settled = await dead_letters.list(UUID(int=0), 10, settled=True)
    assert [(m.state, m.key, m.settled_by, m.settled_why) for m in settled] == [
        ("discarded", "a", "siti", "sent twice by mistake"),
        ("replayed", "a", "siti", f"behind {first.id}: sent twice by mistake"),
    ]
    assert all(m.settled_at is not None and m.settled_at >= m.parked_at for m in settled)
    assert await dead_letters.list(UUID(int=0), 10, key="a") == []
    assert [m.key for m in await dead_letters.list(UUID(int=0), 10)] == ["b"]


async def test_several_of_a_key_are_given_up_together(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed([("a", Added(amount=10, fail=True)), ("a", Added(amount=20)), ("a", Added(amount=3))])
    await delivery.feed([("b", Added(amount=10, fail=True))])

    async def four() -> bool:
        return len(await _parked(delivery)) == 4

    await until(four, "both keys are parked")
    app = delivery.running[0][0]
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    first, sound, _, other = await dead_letters.list(UUID(int=0), 10)
    with pytest.raises(Problem) as refused:
        await dead_letters.discard(first.id, "siti", "a mistake", [sound.id, other.id])
    assert refused.value.status == 422
    assert len(await _parked(delivery)) == 4, "nothing was done"

    result = await dead_letters.discard(first.id, "siti", "a mistake", [sound.id])
    assert (result.replayed, result.waiting) == (1, 0)
    assert (await delivery.totals())["a"] == (3, 1), "the sound one was given up, not replayed"


async def test_many_operators_settle_a_message_once(make: Callable[..., Delivery]) -> None:
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


async def test_who_reads_the_content_of_a_message_and_why_is_kept(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed([("a", Added(amount=10, fail=True))])

    async def one() -> bool:
        return len(await _parked(delivery)) == 1

    await until(one, "it is parked")
    app = delivery.running[0][0]
    dead_letters = DeadLetterQueue(app.tables, app.outbox, app.workers)
    [listed] = await dead_letters.list(UUID(int=0), 10)
    await dead_letters.show(listed.id)
    assert await dead_letters.accesses(UUID(int=0), 10) == []
    found = await dead_letters.read_content(listed.id, "auditor-1", "complaint 7")
    assert b"amount" in (found.record.value or b"")
    assert [(a.subject, a.reason, a.message_id) for a in await dead_letters.accesses(UUID(int=0), 10)] == [
        ("auditor-1", "complaint 7", listed.id)
    ]


async def test_settled_messages_are_kept_for_a_while(make: Callable[..., Delivery]) -> None:
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
        assert await purge_settled(connection, 90, 100) == 0
        await connection.execute(text("UPDATE parked_message SET settled_at = settled_at - interval '91 days'"))
        assert await purge_settled(connection, 90, 100) == 1
    assert [m.key for m in await dead_letters.list(UUID(int=0), 10)] == ["b"], "what waits stays, however old it is"


async def test_a_row_that_the_database_refuses_parks_only_its_own_key(make: Callable[..., Delivery]) -> None:
    delivery = make()
    await delivery.start()
    await delivery.feed(
        [(f"k{n}", Added(amount=1)) for n in range(20)] + [("bad", Added(amount=1, poison=True)), ("last", Added(amount=1))]
    )
    await _reach(delivery, {**{f"k{n}": (1, 1) for n in range(20)}, "last": (1, 1)})

    async def parked() -> bool:
        return [row.key for row in await _parked(delivery)] == ["bad"]

    await until(parked, "the bad row's key is parked, and nothing else")
    assert "bad" not in await delivery.totals()


async def test_too_much_garbage_halts_its_partition_until_an_operator_resumes_it(make: Callable[..., Delivery]) -> None:
    delivery = make(park_limit_per_minute=20, batch_max=10)
    await delivery.start()
    await delivery.feed_raw([(b"same-partition", b"garbage", headers()) for _ in range(200)])
    app = delivery.running[0][0]

    async def halted() -> bool:
        return app.metrics.value("tuntas_consumer_halted_partitions", "counting.in") == 1

    await until(halted, "the partition is halted")
    assert len(await _parked(delivery)) < 200

    async def all_parked() -> bool:
        if await halted():
            await app.resume_halted()
        return len(await _parked(delivery)) == 200

    await until(all_parked, "everything is accounted for after resuming")
