"""Sending with everything in memory, and with a real SMTP server."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from notifier.domain.delivery import Accepted, Deferred, NotTried, Uncertain
from notifier.domain.mail import Mail, MailContent, build_mail
from tests.unit.notifier.builders import NOON, a_delivery, an_id
from tests.unit.notifier.fakes import FakeQueue, FakeRelay, Row, Wall
from tests.unit.notifier.relay import TestRelay
from tests.unit.notifier.sending_behaviour import RelayUnderTest, SendingBehaviour, World
from tuntas_contracts.base import Contract


def world_of(queue: FakeQueue, wall: Wall, relay: RelayUnderTest, mailer: object) -> World:
    async def rows() -> dict[UUID, Row]:
        return queue.rows

    async def notified() -> list[Contract]:
        return queue.notified

    return World(queue, relay, mailer, wall, rows, notified)  # type: ignore[arg-type]


class TestInMemory(SendingBehaviour):
    @pytest.fixture
    def world(self) -> World:
        wall = Wall()
        relay = FakeRelay()
        return world_of(FakeQueue(wall), wall, relay, relay)

    async def test_while_the_relay_is_down_everything_waits_uncounted(self, world: World) -> None:
        relay = world.relay
        assert isinstance(relay, FakeRelay)
        relay.down = True
        await world.queue.put(a_delivery("a"))
        assert (await world.send()).relay_down is not None
        assert (await world.rows())[an_id("a")].attempts == 0


class TestOverSmtp(SendingBehaviour):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        wall = Wall()
        async with TestRelay() as relay:
            mailer = relay.mailer()
            yield world_of(FakeQueue(wall), wall, relay, mailer)
            await mailer.close()


def mails(count: int) -> list[Mail]:
    return [
        build_mail(
            an_id(f"m{n}"),
            MailContent("Laporan", "Baris pertama\n.\n.titik\nFrom sini\n"),
            sender="laporan@lapor.example",
            sender_name="SP4N-LAPOR!",
            recipient=f"r{n}@contoh.example",
            recipient_name=None,
            domain="lapor.example",
            date=NOON,
        )
        for n in range(count)
    ]


async def test_a_batch_goes_over_a_few_connections_which_are_kept() -> None:
    async with TestRelay() as relay:
        mailer = relay.mailer(connections=3)
        for _ in range(3):
            handover = await mailer.send(mails(30), 10, asyncio.Event())
            assert all(isinstance(h.result, Accepted) for h in handover.attempts)
        assert relay.connections == 3
        assert sorted(t.recipient for t in relay.taken) == sorted(m.recipient for m in mails(30) * 3)
        assert b"\r\n.titik\r\n" in relay.texts[0]
        await mailer.close()


async def test_a_connection_that_the_relay_closed_in_the_meantime_is_opened_again() -> None:
    async with TestRelay() as relay:
        mailer = relay.mailer(connections=1)
        await mailer.send(mails(1), 10, asyncio.Event())
        relay.hang_ups = 1
        (attempt,) = (await mailer.send(mails(1), 10, asyncio.Event())).attempts
        assert isinstance(attempt.result, Accepted)
        relay.goodbyes = 1
        (attempt,) = (await mailer.send(mails(1), 10, asyncio.Event())).attempts
        assert isinstance(attempt.result, Accepted)
        assert relay.connections == 3
        await mailer.close()


async def test_a_relay_that_hangs_up_at_once_defers_the_mail_and_never_loses_it() -> None:
    async with TestRelay() as relay:
        mailer = relay.mailer(connections=1)
        relay.hang_ups = 1
        (attempt,) = (await mailer.send(mails(1), 10, asyncio.Event())).attempts
        assert isinstance(attempt.result, Deferred)
        await mailer.close()


async def test_an_idle_connection_is_closed_before_the_relay_does() -> None:
    async with TestRelay() as relay:
        mailer = relay.mailer(connections=1, idle_s=0)
        for _ in range(2):
            await mailer.send(mails(1), 10, asyncio.Event())
        assert relay.connections == 2
        await mailer.close()


async def test_no_answer_to_the_mail_is_uncertain() -> None:
    async with TestRelay() as relay:
        relay.hold = asyncio.Event()
        mailer = relay.mailer(timeout_s=0.2)
        (attempt,) = (await mailer.send(mails(1), 10, asyncio.Event())).attempts
        assert isinstance(attempt.result, Uncertain)
        relay.hold.set()
        await mailer.close()


async def test_a_slow_relay_is_given_no_more_than_the_time_there_is() -> None:
    async with TestRelay() as relay:
        relay.hold = asyncio.Event()
        mailer = relay.mailer(connections=2)
        sending = asyncio.create_task(mailer.send(mails(10), 0.05, asyncio.Event()))
        await asyncio.wait_for(relay.arrived.wait(), 5)
        asyncio.get_running_loop().call_later(0.1, relay.hold.set)
        results = [type(h.result) for h in (await sending).attempts]
        assert results.count(Accepted) == 2
        assert results.count(NotTried) == 8
        assert relay.most_busy == 2
        await mailer.close()


async def test_asked_to_stop_it_finishes_what_it_began_and_begins_nothing() -> None:
    async with TestRelay() as relay:
        relay.hold = asyncio.Event()
        stopping = asyncio.Event()
        mailer = relay.mailer(connections=1)
        sending = asyncio.create_task(mailer.send(mails(4), 10, stopping))
        await asyncio.wait_for(relay.arrived.wait(), 5)
        stopping.set()
        relay.hold.set()
        results = [type(h.result) for h in (await sending).attempts]
        assert results == [Accepted, NotTried, NotTried, NotTried]
        await mailer.close()


async def test_a_relay_that_cannot_be_reached_says_so_and_counts_no_attempt() -> None:
    async with TestRelay() as relay:
        await relay.stop_listening()
        mailer = relay.mailer()
        handover = await mailer.send(mails(5), 10, asyncio.Event())
        assert handover.relay_down is not None
        assert all(isinstance(h.result, NotTried) for h in handover.attempts)
        await relay.listen()
        handover = await mailer.send(mails(5), 10, asyncio.Event())
        assert handover.relay_down is None
        assert len(relay.taken) == 5
        await mailer.close()


async def test_no_address_is_in_what_is_recorded_of_a_refusal() -> None:
    async with TestRelay() as relay:
        relay.refused.add("r0@contoh.example")
        relay.deferrals = 1
        mailer = relay.mailer(connections=1)
        handover = await mailer.send(mails(2), 10, asyncio.Event())
        assert not any("@" in repr(h.result) for h in handover.attempts)
        await mailer.close()
