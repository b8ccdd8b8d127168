"""One writer's bytes, whatever they are, hold up nobody else and nothing behind them; each is answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest

from tests.support.counting import Added, TallyStore, apply_to
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.hostile_batches import GZIP, LZ4, SNAPPY, ZSTD, batch, bomb, produce, raw_batch, raw_record
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.subscription import Record, Subscription
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.envelope import Envelope

SERVED_WITHIN_S = 5.0
COMMANDS = 50
HALTED = "tuntas_consumer_halted_partitions"


@dataclass
class Agencies(Delivery):
    """The counting service, which reads the topics of a hostile writer and of an honest one."""

    hostile: str = ""
    refused: list[tuple[Record, str]] = field(default_factory=list)
    answers: bool = True

    def app(self) -> ServiceApp:
        """Answers what it can't read, or halts where `answers` is false."""
        app = ServiceApp("counting", self.settings(), package="tests.support.counting")
        app.subscribe(
            Subscription(
                name="in",
                topics=[self.hostile, self.inputs],
                types=[Added],
                store=TallyStore(),
                apply=apply_to(self.outputs),
                refuse=self._refuse if self.answers else None,
                writer_of=str if self.answers else None,
            )
        )
        return app

    def _refuse(self, record: Record, error: Exception) -> Outgoing | None:
        self.refused.append((record, str(error)))
        return None

    async def put(self, *batches: bytes) -> list[int]:
        """Put these on the hostile topic; returns the first offset of each."""
        return [await produce(self.servers.bootstrap, self.hostile, 0, one) for one in batches]

    async def step(self, key: str, steps: int) -> None:
        """Wait until so many messages of a key took effect."""

        async def reached() -> bool:
            return (await self.totals()).get(key, (0, 0))[1] >= steps

        await until(reached, f"step {steps} of {key}")

    async def commands_of_the_other(self) -> float:
        """So many commands of the honest writer, one after the other; the longest that one took, in seconds."""
        longest, before = 0.0, (await self.totals()).get("honest", (0, 0))[1]
        for number in range(1, COMMANDS + 1):
            started = monotonic()
            await self.feed([("honest", Added(amount=1))])
            await self.step("honest", before + number)
            longest = max(longest, monotonic() - started)
        return longest


@pytest.fixture
async def agencies(servers: Servers) -> AsyncIterator[Callable[..., Agencies]]:
    made: list[Agencies] = []

    def one(*, answers: bool = True) -> Agencies:
        base = Delivery.make(servers, partitions=1)
        made.append(
            Agencies(servers, base.database_url, base.inputs, base.outputs, 1, hostile=servers.topic("hostile", 1), answers=answers)
        )
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


def sound(key: bytes = b"hostile") -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
    headers = Envelope(new_id(), "tests", "Added", "x", A_MONDAY).headers()
    return key, b'{"amount": 1}', [(name.encode(), value) for name, value in headers]


def tiny(number: int) -> bytes:
    return raw_batch(b"".join(raw_record(None, b"", [], n) for n in range(number)), number)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "header name": lambda: raw_batch(raw_record(*sound()[:2], [(b"\xff\xfe", b"x")]), 1),
    "bomb": lambda: bomb(300),
    "inflates to more than the limit": lambda: batch((b"k", bytes(5_000_000), []), codec=ZSTD),
    "10,000 headers": lambda: batch((b"k", b"v", [(b"name", b"value")] * 10_000)),
    "no key, no value, no headers": lambda: batch((None, None, [])),
    "empty value": lambda: batch((b"k", b"", [])),
    "many tiny records": lambda: tiny(20_000),
}


async def test_every_codec_of_kafka_is_read(agencies: Callable[..., Agencies]) -> None:
    delivery = agencies()
    await delivery.start()
    await delivery.put(*(batch(sound(), codec=codec) for codec in (0, GZIP, SNAPPY, LZ4, ZSTD)))
    await delivery.step("hostile", 5)
    assert delivery.refused == []


@pytest.mark.parametrize("name", HOSTILE)
async def test_malformed_bytes_of_one_writer_delay_no_other(agencies: Callable[..., Agencies], name: str) -> None:
    delivery = agencies()
    app = await delivery.start()
    bad = await asyncio.to_thread(HOSTILE[name])
    putting = asyncio.create_task(delivery.put(*[bad] * 3, batch(sound())))
    assert await delivery.commands_of_the_other() < SERVED_WITHIN_S
    offsets = await putting
    await delivery.step("hostile", 1)  # nothing behind it is lost
    assert set(offsets[:3]) <= {r.offset for r, _ in delivery.refused}, "each is answered, named by its place"
    assert app.metrics.value(HALTED, "counting.in") == 0
    assert app.metrics.value("tuntas_consumer_gaps_total", "counting.in") == 0


async def test_a_kept_topic_is_halted_before_an_unreadable_batch_and_the_other_is_read(agencies: Callable[..., Agencies]) -> None:
    delivery = agencies(answers=False)
    app = await delivery.start()
    await delivery.put(batch(sound(), sound()), raw_batch(raw_record(b"k", b"v", [(b"\xff", b"x")]), 1), batch(sound()))
    assert await delivery.commands_of_the_other() < SERVED_WITHIN_S

    async def halted() -> bool:
        return app.metrics.value(HALTED, "counting.in") == 1

    await until(halted, "the partition is halted")
    await delivery.step("hostile", 2)  # what is before it is handled
    rows = await delivery.query(f"SELECT position FROM consumer_offset WHERE topic = '{delivery.hostile}'")
    assert [row.position for row in rows] == [2], "nothing of it is skipped"
    await app.resume_halted()
    await until(halted, "it halts there again")
    assert (await delivery.totals())["hostile"] == (2, 2)


async def test_a_restart_over_hostile_bytes_reads_on(agencies: Callable[..., Agencies]) -> None:
    delivery = agencies()
    await delivery.put(*[await asyncio.to_thread(make) for make in HOSTILE.values()], batch(sound()))
    await delivery.start()
    await delivery.step("hostile", 1)
    assert await delivery.commands_of_the_other() < SERVED_WITHIN_S


async def test_a_writers_ids_and_sources_are_its_own(agencies: Callable[..., Agencies]) -> None:
    """The same id on another writer's topic is another message, and nothing there is an event of this service."""
    delivery = agencies()
    await delivery.start()
    shared = new_id()
    mine: Any = [(n.encode(), v) for n, v in Envelope(shared, "counting", "Added", "x", A_MONDAY).headers()]
    await delivery.put(batch((b"hostile", b'{"amount": 1}', mine)))
    await delivery.step("hostile", 1)
    await delivery.feed([("honest", Added(amount=1), shared)])
    await delivery.step("honest", 1)
    await delivery.put(batch((b"hostile", b'{"amount": 1}', mine), sound()))  # known, and the next is not
    await delivery.step("hostile", 2)
    assert (await delivery.totals())["hostile"] == (2, 2)
