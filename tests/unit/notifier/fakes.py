"""Hand-written stand-ins for the queue, intake and the relay; their state can be looked at."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from opentelemetry.trace import SpanKind

from notifier.application.ports import Contact, ContactRequest, ContactsUnavailable, DeliveryEvent, Handover, MailAttempt
from notifier.domain.delivery import Accepted, Claimed, Deferred, Delivery, NotTried, Refused, Result, Settlement, Status, Uncertain
from notifier.domain.mail import Mail
from tests.unit.notifier.builders import a_claimed
from tuntas_contracts.base import Contract
from tuntas_contracts.vocabulary import Role

_AT_ONCE = datetime.min.replace(tzinfo=UTC)


class Crash(Exception):
    """The process ends here."""


@dataclass
class Wall:
    """Real time that a test moves."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """The time now."""
        return self.at

    def pass_by(self, time: timedelta) -> None:
        """Let time go by."""
        self.at += time


@dataclass
class BusinessClock:
    """Business time that a test moves; it begins at ten in the morning in Jakarta, when every mail may go out."""

    at: datetime = datetime(2026, 11, 24, 3, tzinfo=UTC)

    def now(self) -> datetime:
        """The business time now."""
        return self.at

    def from_broker(self, timestamp_ms: int) -> datetime:
        """The same instant."""
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


@dataclass(frozen=True)
class Row:
    """A delivery as it is stored."""

    delivery: Delivery
    status: Status = Status.QUEUED
    attempts: int = 0
    repeats: int = 0
    reason: str | None = None
    next_attempt_at: datetime = _AT_ONCE


class FakeQueue:
    """A DeliveryQueue in memory. `unknown` are cases whose facts are not known."""

    def __init__(self, wall: Wall) -> None:
        self.rows: dict[UUID, Row] = {}
        self.notified: list[Contract] = []
        self.parents: list[str] = []
        self.unknown: set[UUID] = set()
        self.business = BusinessClock()
        self._wall = wall
        self._created: dict[UUID, datetime] = {}

    async def put(self, *deliveries: Delivery) -> None:
        """Queue deliveries, each once."""
        for delivery in deliveries:
            self.rows.setdefault(delivery.notice_id, Row(delivery))
            self._created.setdefault(delivery.notice_id, self._wall())

    async def claim(self, now: datetime, lease_until: datetime, *, officers: int, total: int, reporters: bool) -> Sequence[Claimed]:
        """Take what is due, and queue what has waited for the morning."""
        woken = [r for r in self.rows.values() if r.status is Status.WAITING and r.next_attempt_at <= self.business.now()]
        open_rows = (r for r in self.rows.values() if r.status in (Status.QUEUED, Status.SENDING) and r.next_attempt_at <= now)
        due = sorted(open_rows, key=lambda r: r.next_attempt_at)
        for_officers = [r for r in due if r.delivery.recipient is not Role.REPORTER][:officers]
        for_reporters = [r for r in due if r.delivery.recipient is Role.REPORTER][: total - len(for_officers)] if reporters else []
        for row in woken:
            self.rows[row.delivery.notice_id] = replace(row, status=Status.QUEUED, next_attempt_at=now)
        return [self._take(row, lease_until) for row in (*for_officers, *for_reporters)]

    def _take(self, row: Row, lease_until: datetime) -> Claimed:
        repeats = row.repeats + (row.status is Status.SENDING)
        taken = replace(row, status=Status.SENDING, attempts=row.attempts + 1, repeats=repeats, next_attempt_at=lease_until)
        self.rows[row.delivery.notice_id] = taken
        facts: dict[str, None] = {}
        if row.delivery.case_id in self.unknown:
            facts |= {"tracking_id": None, "reporter_ref": None}
        if row.delivery.agency is None:
            facts |= {"agency_name": None, "agency_email": None}
        return a_claimed(
            row.delivery,
            attempt=taken.attempts,
            repeats=repeats,
            lease_until=lease_until,
            created_at=self._created[row.delivery.notice_id],
            **facts,
        )

    async def finish(
        self, settlements: Sequence[Settlement], ended_at: datetime, event_of: Callable[[Settlement], DeliveryEvent | None]
    ) -> Sequence[Settlement]:
        """Settle what is still the caller's."""
        kept = []
        for s in settlements:
            row = self.rows[s.claimed.delivery.notice_id]
            if row.status is Status.SENDING and row.next_attempt_at == s.claimed.lease_until:
                kept.append(s)
                self.rows[row.delivery.notice_id] = Row(row.delivery, s.status, s.attempts, s.repeats, s.reason, s.next_attempt_at)
        for notified in map(event_of, kept):
            if notified is not None:
                self.notified.append(notified.message.body)
                self.parents.append(notified.traceparent)
        return kept


class FakeContacts:
    """Intake's contacts; every reporter is Siti unless given otherwise."""

    def __init__(self) -> None:
        self.asked: list[list[ContactRequest]] = []
        self.known: dict[UUID, Contact | None] = {}
        self.away = False

    async def look_up(self, requests: Sequence[ContactRequest]) -> Mapping[UUID, Contact]:
        """The contacts."""
        if self.away:
            raise ContactsUnavailable("intake does not answer")
        self.asked.append(list(requests))
        siti = Contact("Siti Nurhaliza", "siti@contoh.example", None)
        found = {r.reporter_ref: self.known.get(r.reporter_ref, siti) for r in requests}
        return {ref: contact for ref, contact in found.items() if contact is not None}


@dataclass(frozen=True)
class Taken:
    """A mail that the relay took."""

    recipient: str
    message_id: str


class FakeRelay:
    """A Mailer whose relay is in memory; it fails as configured."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.refused: set[str] = set()
        self.deferrals = 0
        self.drops = 0
        self.down = False

    async def send(self, mails: Sequence[Mail], seconds: float, stopping: asyncio.Event) -> Handover:
        """Take mails."""
        if self.down:
            return Handover([MailAttempt(NotTried("the relay can't be reached"), 1, 2) for _ in mails], "the relay can't be reached")
        return Handover([MailAttempt(self._result(mail), 1, 2) for mail in mails])

    def _result(self, mail: Mail) -> Result:
        if mail.recipient in self.refused:
            if mail.plain_recipient is None or mail.plain_recipient in self.refused:
                return Refused("recipient refused: 550 5.1.1", dead_address=True)
            mail = replace(mail, recipient=mail.plain_recipient)
        if self.deferrals:
            self.deferrals -= 1
            return Deferred("content deferred: 451 4.3.0")
        self.taken.append(Taken(mail.recipient, mail.content.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()))
        if self.drops:
            self.drops -= 1
            return Uncertain("no answer to the mail: SMTPServerDisconnected")
        return Accepted()

    async def close(self) -> None:
        """Nothing is open."""


class FakeSpans:
    """Remembers spans."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str]] = []

    def child(self, name: str, kind: SpanKind, traceparent: str, start_ns: int, end_ns: int, **attributes: str | int) -> str:
        """Record one."""
        self.recorded.append((name, traceparent))
        return traceparent[:-19] + f"{len(self.recorded):016x}-01"
