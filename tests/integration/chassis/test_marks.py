"""`RelayMarked` promises that nothing older is still to come; sla-monitor judges deadlines by it."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from tests.support.counting import Summed
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.group_commit import GroupCommit
from tuntas_chassis.messages import Outgoing
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.cases import RelayMarked
from tuntas_contracts.envelope import Envelope

PARTITIONS = 4
Seen = tuple[str, datetime]


class Marked:
    """A replica whose relay marks the output topic several times a second."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.app = ServiceApp("counting", delivery.settings(), package="tests.support.counting", mark_topic=delivery.outputs)

    async def start(self) -> None:
        """Start it and wait for its first marks."""
        self.delivery.running.append((self.app, asyncio.create_task(self.app.run_delivery())))
        await self.until_marked()

    async def seen(self) -> dict[int, list[Seen]]:
        """Of each partition in order: the type and time of every message; a mark's time is that which it tells."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.delivery.servers.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(self.delivery.outputs, p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: dict[int, list[Seen]] = defaultdict(list)
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for r in records:
                        envelope = Envelope.read(r.headers)
                        mark = envelope.type == "RelayMarked"
                        time = RelayMarked.model_validate_json(r.value).at if mark else envelope.time
                        found[r.partition].append((envelope.type, time))
            return found
        finally:
            await consumer.stop()

    async def marks(self) -> list[datetime]:
        """Every mark of every partition."""
        return [time for seen in (await self.seen()).values() for kind, time in seen if kind == "RelayMarked"]

    async def until_marked(self, rounds: int = 1) -> None:
        """Wait until every partition has so many more marks."""
        before = len(await self.marks())

        async def marked() -> bool:
            return len(await self.marks()) >= before + rounds * PARTITIONS

        await until(marked, f"{rounds} more marks on every partition")

    async def until_looked(self) -> None:
        """Wait until the relay has looked a few times whether it may mark."""
        since = monotonic()

        async def looked() -> bool:
            relay = self.app._relay
            return relay is not None and relay.progress_at > since + 0.5

        await until(looked, "the relay has looked again")


@pytest.fixture
async def marked(make: Callable[..., Delivery]) -> Marked:
    started = Marked(make(mark_interval_s=0.1, mark_tolerance_s=0, outbox_poll_s=0.1))
    await started.start()
    return started


def _told(topic: str, key: str, time: datetime) -> Outgoing:
    return Outgoing(topic, key, Summed(total=0, steps=0), time)


async def test_marks_stand_still_before_an_event_that_is_not_committed(marked: Marked) -> None:
    app, topic = marked.app, marked.delivery.outputs
    async with app.database.begin() as connection:
        await connection.execute(text("SELECT 1"))
        decided_at = app.clock.now()
        await marked.until_looked()
        assert max(await marked.marks()) <= decided_at < app.clock.now()
        await app.outbox.write(connection, [_told(topic, "a", decided_at)])
        await marked.until_looked()
        assert max(await marked.marks()) <= decided_at
    app.outbox.written()

    async def passed() -> bool:
        return min([max(time for _, time in seen) for seen in (await marked.seen()).values()]) > decided_at

    await until(passed, "marks go on once it is published")
    _assert_promises_kept(await marked.seen(), events=1)


async def test_marks_wait_for_what_is_committed_and_not_yet_sent(marked: Marked) -> None:
    """A topic that is not there keeps its messages: until they are out, no mark may say otherwise."""
    app = marked.app
    await marked.until_marked()
    async with app.database.begin() as connection:
        await connection.execute(text("SELECT 1"))
        decided_at = app.clock.now()
        await app.outbox.write(connection, [_told(f"{marked.delivery.outputs}.missing", "a", decided_at)])
    app.outbox.written()

    async def blocked() -> bool:
        return app.metrics.value("tuntas_outbox_blocked_topics") == 1

    await until(blocked, "the relay has found that the topic is not there")
    for n in range(5):
        async with app.database.begin() as connection:
            await app.outbox.write(connection, [_told(marked.delivery.outputs, f"other {n}", app.clock.now())])
        app.outbox.written()

        async def told() -> bool:
            return len(await marked.delivery.published()) == n + 1  # noqa: B023  (awaited before n moves on)

        await until(told, "the other topic goes on")
        assert max(await marked.marks()) <= decided_at


async def test_no_event_ever_follows_a_mark_that_is_later_than_it(marked: Marked) -> None:
    app, topic = marked.app, marked.delivery.outputs
    chance = random.Random(1)

    async def write(connection: object, items: list[str], now: datetime) -> list[str]:
        await asyncio.sleep(chance.random() / 20)  # a write that takes its time, between its time and its rows
        await app.outbox.write(connection, [_told(topic, key, now) for key in items])  # type: ignore[arg-type]
        return items

    group: GroupCommit[str, str] = GroupCommit(app.database, app.outbox, app.clock, write)  # type: ignore[arg-type]

    async def alone(who: int) -> None:
        for n in range(10):
            async with app.database.begin() as connection:
                await connection.execute(text("SELECT 1"))
                now = app.clock.now()
                await asyncio.sleep(chance.random() / 5)
                await app.outbox.write(connection, [_told(topic, f"{who}/{n}", now)])
            app.outbox.written()

    async def together(who: int) -> None:
        for n in range(10):
            await group.submit(f"group {who}/{n}")

    await asyncio.gather(*(alone(n) for n in range(5)), *(together(n) for n in range(20)))
    await marked.until_marked(rounds=2)
    _assert_promises_kept(await marked.seen(), events=5 * 10 + 20 * 10)


def _assert_promises_kept(seen: dict[int, list[Seen]], events: int) -> None:
    assert sum(kind == "Summed" for messages in seen.values() for kind, _ in messages) == events
    for partition, messages in seen.items():
        promised: datetime | None = None
        for kind, time in messages:
            assert promised is None or kind == "RelayMarked" or time >= promised, (
                f"partition {partition}: {kind} of {time} after {promised}"
            )
            if kind == "RelayMarked":
                promised = max(promised or time, time)
