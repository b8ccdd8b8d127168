"""How sending behaves, whatever the queue and the relay are made of. Each subclass gives a `world`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import pytest

from notifier.adapters.templates import MailTemplates
from notifier.application.compose import Composer, TemplateRenderer
from notifier.application.ports import Contact, DeliveryEvent, DeliveryQueue, Mailer
from notifier.application.sender import Pass, Sender
from notifier.domain.delivery import Claimed, Delivery, Settlement, Status
from notifier.domain.mailboxes import CentralMailboxes
from notifier.domain.notices import NoticeKind
from notifier.metrics import FAILED, METRICS, NO_CHANNEL, REPEATS, SENT
from tests.unit.notifier.builders import REPORTER_REF, a_delivery, an_id
from tests.unit.notifier.fakes import BusinessClock, Crash, FakeContacts, FakeSpans, Row, Taken, Wall
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.base import Contract
from tuntas_contracts.notices import NoticeFailed, NoticeNotSent, NoticeSent
from tuntas_contracts.vocabulary import Role

LEASE = timedelta(seconds=60)
AGENCY = "pengaduan@kemenkes.agency.example"
LIAISON = "pengaduan+liaison_officer@kemenkes.agency.example"


class QueueUnderTest(DeliveryQueue, Protocol):
    """A queue that a test can fill and look at."""

    unknown: set[UUID]
    business: BusinessClock

    async def put(self, *deliveries: Delivery) -> None: ...


class RelayUnderTest(Protocol):
    """A relay that a test can break and look at."""

    taken: list[Taken]
    refused: set[str]
    deferrals: int
    drops: int


class CrashingQueue:
    """Ends the process before a settlement is written, or lets the database be away for a while."""

    def __init__(self, inner: DeliveryQueue) -> None:
        self.inner = inner
        self.crash = False
        self.away = 0

    async def claim(self, now: datetime, lease_until: datetime, *, officers: int, total: int, reporters: bool) -> Sequence[Claimed]:
        return await self.inner.claim(now, lease_until, officers=officers, total=total, reporters=reporters)

    async def finish(
        self, settlements: Sequence[Settlement], ended_at: datetime, event_of: Callable[[Settlement], DeliveryEvent | None]
    ) -> Sequence[Settlement]:
        if self.crash:
            raise Crash
        if self.away:
            self.away -= 1
            raise ConnectionRefusedError("the database restarts")
        return await self.inner.finish(settlements, ended_at, event_of)


@dataclass
class World:
    """A sender and all around it."""

    queue: QueueUnderTest
    relay: RelayUnderTest
    mailer: Mailer
    wall: Wall
    rows: Callable[[], "asyncio.Future[dict[UUID, Row]]"]
    notified: Callable[[], "asyncio.Future[list[Contract]]"]
    contacts: FakeContacts = field(default_factory=FakeContacts)
    spans: FakeSpans = field(default_factory=FakeSpans)
    metrics: MetricSet = field(default_factory=lambda: MetricSet((*CHASSIS_METRICS, *METRICS)))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    crashing: CrashingQueue = field(init=False)

    def __post_init__(self) -> None:
        self.crashing = CrashingQueue(self.queue)

    def sender(self) -> Sender:
        """A new process, so to speak."""
        renderer = TemplateRenderer(
            sender="laporan@lapor.example",
            sender_name="SP4N-LAPOR!",
            reporter_page="https://lapor.example/laporan",
            officer_page="https://lapor.example/petugas",
            central=CentralMailboxes("admin@lapor.example", "pengawas@lapor.example", "op@lapor.example"),
        )
        clock = self.queue.business
        return Sender(
            self.crashing,
            self.contacts,
            Composer(renderer, MailTemplates(), clock, self.wall),
            self.mailer,
            self.spans,
            clock,
            self.wall,
            self.metrics,
            domain="lapor.example",
            lease=LEASE,
        )

    async def send(self, limit: int = 100, *, reporters: bool = True) -> Pass:
        """One batch."""
        return await self.sender().send_due(limit, self.stopping, reporters=reporters)

    async def crash_while_settling(self) -> None:
        """Send one batch, and die before it is written down."""
        self.crashing.crash = True
        with pytest.raises(Crash):
            await self.send()
        self.crashing.crash = False

    async def status(self, name: str) -> tuple[Status, str | None]:
        """Where a delivery stands, and why."""
        row = (await self.rows())[an_id(name)]
        return row.status, row.reason


def identity(name: str) -> str:
    """The Message-ID of a notice."""
    return f"<{an_id(name)}@lapor.example>"


def warning(name: str, role: Role = Role.LIAISON_OFFICER, agency: str | None = "kemenkes", case: str = "case") -> Delivery:
    """A delivery to an officer."""
    return a_delivery(
        name,
        NoticeKind.DEADLINE_WARNING,
        role,
        case=case,
        agency=agency,
        clock="C3",
        level="yellow",
        due_at="2026-11-24T17:00:00+00:00",
        unit=None,
        service_class=None,
    )


class SendingBehaviour:
    """The suite."""

    async def test_mails_of_midnight_wait_for_seven_in_the_morning_and_those_that_people_cause_do_not(self, world: World) -> None:
        world.queue.business.at = datetime(2026, 11, 24, 17, 0, 1, tzinfo=UTC)  # a second after midnight in Jakarta
        overdue = a_delivery("overdue", NoticeKind.OVERDUE, clock="C4", level="missed", due_at="2026-11-24T17:00:00+00:00")
        await world.queue.put(overdue, warning("officer"), a_delivery("reply"))
        await world.send()
        assert [taken.message_id for taken in world.relay.taken] == [identity("reply")]
        assert [len(asked) for asked in world.contacts.asked] == [1], "nobody's contact is looked up for a mail that waits"
        waiting = (await world.rows())[an_id("overdue")]
        assert (waiting.status, waiting.attempts) == (Status.WAITING, 0)
        assert waiting.next_attempt_at == datetime(2026, 11, 25, 0, 0, tzinfo=UTC)

        world.queue.business.at = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
        for _ in range(3):
            assert (await world.send()).taken == 0
        world.queue.business.at = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
        world.wall.pass_by(timedelta(seconds=1))
        taken = [(await world.send()).taken for _ in range(3)]
        assert sum(taken) == 2
        assert len(world.relay.taken) == 3
        assert {(await world.status(name))[0] for name in ("overdue", "officer", "reply")} == {Status.SENT}
        assert {t.attempt for t in await world.notified() if isinstance(t, NoticeSent)} == {1}

    async def test_reporter_and_officer_each_get_their_mail_once(self, world: World) -> None:
        await world.queue.put(a_delivery("a"), warning("b"))
        await world.queue.put(a_delivery("a"))
        await world.send()
        assert (await world.send()).taken == 0
        assert sorted(world.relay.taken, key=lambda t: t.recipient) == [
            Taken(LIAISON, identity("b")),
            Taken("siti@contoh.example", identity("a")),
        ]
        notified = [t for t in await world.notified() if isinstance(t, NoticeSent)]
        assert {(t.notice_id, t.message_id, t.attempt, t.possible_repeat) for t in notified} == {
            (an_id("a"), identity("a"), 1, False),
            (an_id("b"), identity("b"), 1, False),
        }

    async def test_the_look_up_of_a_batch_is_one_question_with_its_purpose(self, world: World) -> None:
        await world.queue.put(a_delivery("a"), a_delivery("b"), warning("c"))
        await world.send()
        ((asked,),) = world.contacts.asked
        assert (asked.reporter_ref, asked.case_id) == (REPORTER_REF, an_id("case"))
        assert asked.purpose == "notice:resumed"
        assert not asked.access_code

    async def test_a_crash_between_sending_and_writing_repeats_once_under_the_same_id(self, world: World) -> None:
        await world.queue.put(a_delivery("a"))
        await world.crash_while_settling()
        assert (await world.send()).taken == 0
        world.wall.pass_by(LEASE)
        await world.send()
        assert [t.message_id for t in world.relay.taken] == [identity("a"), identity("a")]
        (notified,) = await world.notified()
        assert isinstance(notified, NoticeSent)
        assert (notified.possible_repeat, notified.attempt) == (True, 2)
        assert world.metrics.value(REPEATS, "resumed") == 1

    async def test_a_second_crash_ends_it_without_a_third_mail(self, world: World) -> None:
        await world.queue.put(a_delivery("a"))
        for _ in range(2):
            await world.crash_while_settling()
            world.wall.pass_by(LEASE)
        await world.send()
        assert len(world.relay.taken) == 2
        (notified,) = await world.notified()
        assert isinstance(notified, NoticeFailed)
        assert notified.reason.startswith("outcome_unknown")

    async def test_a_connection_that_is_cut_after_the_mail_repeats_once(self, world: World) -> None:
        await world.queue.put(a_delivery("a"))
        world.relay.drops = 1
        await world.send()
        assert (await world.status("a"))[0] is Status.QUEUED
        world.wall.pass_by(timedelta(minutes=1))
        await world.send()
        assert len(world.relay.taken) == 2
        (notified,) = await world.notified()
        assert isinstance(notified, NoticeSent)
        assert notified.possible_repeat

    async def test_one_refused_recipient_harms_no_other(self, world: World) -> None:
        world.contacts.known[an_id("wrong")] = Contact("Budi", "salah@contoh.example", None)
        world.relay.refused |= {LIAISON, AGENCY}
        await world.queue.put(*(a_delivery(f"n{n}") for n in range(5)), warning("b"))
        await world.send()
        assert len(world.relay.taken) == 5
        assert await world.status("b") == (Status.FAILED, "recipient refused: 550 5.1.1")
        failed = [t for t in await world.notified() if isinstance(t, NoticeFailed)]
        assert [t.reason for t in failed] == ["recipient refused: 550 5.1.1"]

    async def test_a_mailbox_that_knows_no_plus_addresses_gets_the_mail_at_its_plain_one(self, world: World) -> None:
        world.relay.refused.add(LIAISON)
        await world.queue.put(warning("a"))
        await world.send()
        assert [t.recipient for t in world.relay.taken] == [AGENCY]
        assert await world.status("a") == (Status.SENT, None)

    async def test_a_passing_refusal_is_tried_again_later_and_not_sooner(self, world: World) -> None:
        await world.queue.put(a_delivery("a"))
        world.relay.deferrals = 1
        await world.send()
        assert await world.status("a") == (Status.QUEUED, "content deferred: 451 4.3.0")
        assert (await world.send()).taken == 0
        world.wall.pass_by(timedelta(seconds=10))
        await world.send()
        assert (await world.status("a"))[0] is Status.SENT
        (notified,) = await world.notified()
        assert isinstance(notified, NoticeSent)
        assert (notified.attempt, notified.possible_repeat) == (2, False)

    async def test_while_intake_is_away_reporters_wait_uncounted_and_officers_are_notified(self, world: World) -> None:
        world.contacts.away = True
        await world.queue.put(a_delivery("a"), warning("b"))
        done = await world.send()
        assert done.contacts_down is not None
        assert [t.recipient for t in world.relay.taken] == [LIAISON]
        assert (await world.rows())[an_id("a")].attempts == 0
        assert (await world.send(reporters=False)).taken == 0
        world.contacts.away = False
        world.wall.pass_by(timedelta(seconds=1))
        await world.send()
        assert (await world.status("a"))[0] is Status.SENT

    @pytest.mark.parametrize(("contact", "reason"), [(Contact("Budi", None, "+6281234567890"), "no_email"), (None, "no_contact")])
    async def test_a_reporter_without_a_channel_is_no_failure(self, world: World, contact: Contact | None, reason: str) -> None:
        world.contacts.known[REPORTER_REF] = contact
        await world.queue.put(a_delivery("a"))
        await world.send()
        assert await world.status("a") == (Status.NO_CHANNEL, reason)
        (notified,) = await world.notified()
        assert isinstance(notified, NoticeNotSent)
        assert notified.reason == reason
        assert not world.relay.taken
        assert world.metrics.value(NO_CHANNEL, "resumed") == 1
        assert world.metrics.value(FAILED, "resumed") is None

    async def test_an_address_that_no_mail_can_be_sent_to_is_a_failure_with_the_reason(self, world: World) -> None:
        reason = "unusable_address"
        world.contacts.known[REPORTER_REF] = Contact("Budi", "budi@contoh.example\r\nRCPT TO:<x@y.example>", None)
        await world.queue.put(a_delivery("a"))
        await world.send()
        assert await world.status("a") == (Status.FAILED, reason)
        (notified,) = await world.notified()
        assert isinstance(notified, NoticeFailed)
        assert notified.reason == reason
        assert not world.relay.taken

    async def test_a_role_without_a_mailbox_is_given_up_with_the_reason(self, world: World) -> None:
        await world.queue.put(warning("a", agency=None))
        await world.send()
        assert await world.status("a") == (Status.FAILED, "no_mailbox")

    async def test_a_role_of_a_later_release_is_set_aside_for_it_and_has_not_failed(self, world: World) -> None:
        strange = warning("strange")._replace(recipient="later_role")
        await world.queue.put(strange, warning("a"))
        await world.send()
        status, reason = await world.status("strange")
        assert status is Status.SET_ASIDE
        assert "later_role" in (reason or "")
        assert (await world.rows())[an_id("strange")].attempts == 0
        assert [(t.notice_id, t.recipient) for t in await world.notified() if isinstance(t, NoticeSent)] == [
            (an_id("a"), Role.LIAISON_OFFICER)
        ]
        assert len(await world.notified()) == 1

    async def test_a_case_that_is_not_read_yet_is_waited_for_uncounted(self, world: World) -> None:
        world.queue.unknown.add(an_id("strange"))
        await world.queue.put(a_delivery("a", case="strange"))
        await world.send()
        row = (await world.rows())[an_id("a")]
        assert (row.status, row.attempts) == (Status.QUEUED, 0)
        world.wall.pass_by(timedelta(hours=25))
        await world.send()
        assert await world.status("a") == (Status.FAILED, "unknown_case")

    async def test_officers_come_first_but_never_take_all(self, world: World) -> None:
        await world.queue.put(*(a_delivery(f"r{n}") for n in range(10)), *(warning(f"o{n}") for n in range(10)))
        await world.send(limit=10)
        to_officers = sum(t.recipient == LIAISON for t in world.relay.taken)
        assert (to_officers, len(world.relay.taken)) == (5, 10)

    async def test_a_notice_that_no_template_can_say_is_set_aside_and_the_others_go_out(self, world: World) -> None:
        strange = a_delivery("strange", NoticeKind.REMINDER, clock="C6", level="purple", due_at="2026-11-24T17:00:00+00:00")
        unwritable = a_delivery("unwritable", agency="?")
        await world.queue.put(strange, unwritable, *(a_delivery(f"n{n}") for n in range(5)))
        await world.send()
        assert len(world.relay.taken) == 5
        for name in ("strange", "unwritable"):
            status, reason = await world.status(name)
            assert status is Status.SET_ASIDE
            assert reason
            assert (await world.rows())[an_id(name)].attempts == 0
        assert len(await world.notified()) == 5
        assert world.metrics.value("tuntas_rows_set_aside_total", "notice") == 2
        assert (await world.send()).taken == 0

    async def test_the_database_may_go_away_while_it_is_settled(self, world: World) -> None:
        await world.queue.put(a_delivery("a"))
        world.crashing.away = 1
        await world.send()
        assert len(world.relay.taken) == 1
        assert (await world.status("a"))[0] is Status.SENT
        assert world.metrics.value(SENT, "resumed") == 1

    async def test_a_sender_whose_lease_ran_out_writes_nothing_over_its_successor(self, world: World) -> None:
        await world.queue.put(a_delivery("a"))
        now = world.wall()
        (late,) = await world.queue.claim(now, now + LEASE, officers=1, total=1, reporters=True)
        world.wall.pass_by(LEASE)
        await world.send()
        stale = Settlement(late, Status.FAILED, now, 1, 0, "too late")
        assert not await world.queue.finish([stale], now, lambda _: None)
        assert (await world.status("a"))[0] is Status.SENT

    async def test_the_mail_is_a_span_below_the_event_that_caused_it(self, world: World) -> None:
        delivery = a_delivery("a")
        await world.queue.put(delivery)
        await world.send()
        assert world.spans.recorded == [("send resumed", delivery.traceparent)]
