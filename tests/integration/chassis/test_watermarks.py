"""`WatermarkAdvanced` promises that nothing older is still to come; sla-monitor judges deadlines by it."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.integration.chassis.watermarked import Watermarked, assert_promises_kept, summed
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.http.group_commit import GroupCommit

QUICK = {"watermark_interval_s": 0.1, "watermark_tolerance_s": 0, "outbox_poll_s": 0.1}


@pytest.fixture
async def replica(make: Callable[..., Delivery]) -> Watermarked:
    started = Watermarked(make(**QUICK))
    await started.start()
    return started


async def until_looked(replica: Watermarked, rounds: int = 3) -> None:
    """Wait until so many more watermarks, of whatever time, have been published."""
    before = len(await replica.watermarks())

    async def more() -> bool:
        return len(await replica.watermarks()) >= before + rounds

    await until(more, "more watermarks are there")


async def test_a_watermark_does_not_pass_an_event_that_is_not_committed(replica: Watermarked) -> None:
    app, topic = replica.app, replica.delivery.outputs
    async with app.database.begin() as connection:
        await connection.execute(text("SELECT 1"))
        decided_at = app.clock.now()
        await until_looked(replica)
        assert await replica.highest() <= decided_at < app.clock.now()
        await app.outbox.write(connection, [summed(topic, "a", decided_at)])
        await until_looked(replica)
        assert await replica.highest() <= decided_at
    app.outbox.written()
    await replica.until_advanced(decided_at)
    assert_promises_kept(await replica.watermarks(), await replica.events())


async def test_a_transaction_of_another_application_delays_nothing(replica: Watermarked) -> None:
    """`psql` with a BEGIN left open, a dump: nothing of theirs ever comes onto a topic."""
    engine = create_async_engine(replica.app.settings.sqlalchemy_url, connect_args={"server_settings": {"application_name": "psql"}})
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
            await replica.until_advanced()
    finally:
        await engine.dispose()


async def test_a_message_that_another_topic_refuses_holds_no_watermark_up(replica: Watermarked) -> None:
    """Only the partition of the cases topic matters, for it alone has what deadlines are judged by."""
    await replica.write(f"{replica.delivery.outputs}.missing", "a")

    async def blocked() -> bool:
        return replica.app.metrics.value("tuntas_outbox_blocked_topics") == 1

    await until(blocked, "the relay has found that the topic is not there")
    await replica.until_advanced()


async def test_only_the_agency_whose_topic_refuses_messages_is_late(make: Callable[..., Delivery]) -> None:
    replica = Watermarked(make(**QUICK))
    await replica.start()
    await replica.write("tuntas.agency-cases.kota-without-topic.v1", "a")

    async def late() -> bool:
        return [a.agency for a in (await replica.watermarks())[-1].late_agencies] == ["kota-without-topic"]

    await until(late, "its agency is reported late")
    assert (await replica.watermarks())[-1].late_agencies[0].at is None
    await replica.until_advanced()


async def test_the_end_offset_follows_all_that_was_acknowledged(replica: Watermarked) -> None:
    for n in range(20):
        await replica.write(replica.delivery.outputs, f"case {n}")
    await replica.until_advanced()
    assert len(await replica.events()) == 20
    assert_promises_kept(await replica.watermarks(), await replica.events())
    last = (await replica.watermarks())[-1]
    assert sum(p.end_offset for p in last.partitions) == 20


async def test_an_idle_platform_adds_nothing_to_the_topic_of_events(replica: Watermarked) -> None:
    await replica.write(replica.delivery.outputs, "a")
    await replica.until_advanced()
    before = await replica.events()
    for _ in range(3):
        await replica.until_advanced()
    assert await replica.events() == before
    assert len(before) == 1


async def test_no_event_ever_comes_behind_the_end_offset_of_a_watermark_that_is_later_than_it(replica: Watermarked) -> None:
    app, topic = replica.app, replica.delivery.outputs
    chance = random.Random(1)

    async def write(connection: object, items: list[str], now: datetime) -> list[str]:
        await asyncio.sleep(chance.random() / 20)  # a write that takes its time, between its time and its rows
        await app.outbox.write(connection, [summed(topic, key, now) for key in items])  # type: ignore[arg-type]
        return items

    group: GroupCommit[AsyncConnection, str, str] = GroupCommit(app.database.begin_now, app.outbox, app.clock, write)  # type: ignore[arg-type]

    async def alone(who: int) -> None:
        for n in range(10):
            async with app.database.begin() as connection:
                await connection.execute(text("SELECT 1"))
                now = app.clock.now()
                await asyncio.sleep(chance.random() / 5)
                await app.outbox.write(connection, [summed(topic, f"{who}/{n}", now)])
            app.outbox.written()

    async def together(who: int) -> None:
        for n in range(10):
            await group.submit(f"group {who}/{n}")

    await asyncio.gather(*(alone(n) for n in range(5)), *(together(n) for n in range(20)))
    await replica.until_advanced()
    events = await replica.events()
    assert len(events) == 5 * 10 + 20 * 10
    assert_promises_kept(await replica.watermarks(), events)


async def test_the_clock_of_each_broker_is_measured(replica: Watermarked) -> None:
    await replica.until_advanced()
    measured = [
        s for family in replica.app.metrics.registry.collect() if family.name == "tuntas_broker_clock_skew_seconds" for s in family.samples
    ]
    assert len(measured) == 1
    assert abs(measured[0].value) < 0.5, "broker and service have the same machine's clock"
