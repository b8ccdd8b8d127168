"""What sending needs of the world."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opentelemetry.trace import SpanKind

from notifier.domain.delivery import Claimed, Result, Settlement
from notifier.domain.mail import Mail, MailContent
from tuntas_chassis.messaging.messages import Outgoing


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach one reporter, and for a receipt the access code if it is sent by mail. Never stored, logged or published."""

    name: str | None
    email: str | None
    phone: str | None
    access_code: str | None = None


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """Whose contact is needed for which case, and what for; intake logs all three. `access_code`: the receipt is to be mailed."""

    reporter_ref: UUID
    case_id: UUID
    purpose: str
    access_code: bool = False


class ContactsUnavailable(Exception):
    """Intake or the identity provider does not answer, or does not let us in; the message says which and how."""


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """The message about a delivery's outcome, and the trace that it belongs to."""

    message: Outgoing
    traceparent: str


@dataclass(frozen=True, slots=True)
class MailAttempt:
    """What the relay made of one mail, and when (nanoseconds since the epoch)."""

    result: Result
    started_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True)
class Handover:
    """What the relay made of a batch, in its order. `relay_down` says why no connection could be had, None if one could."""

    attempts: Sequence[MailAttempt]
    relay_down: str | None = None


class DeliveryQueue(Protocol):
    """The deliveries that wait."""

    async def claim(self, now: datetime, lease_until: datetime, *, officers: int, total: int, reporters: bool) -> Sequence[Claimed]:
        """Take what is due, at most `total` and of it at most `officers` to officers; none to reporters unless `reporters`.

        What another attempt left unsettled past its lease is due again, with one more repeat.
        """
        ...

    async def finish(
        self, settlements: Sequence[Settlement], ended_at: datetime, event_of: Callable[[Settlement], DeliveryEvent | None]
    ) -> Sequence[Settlement]:
        """Write what became of deliveries and what `event_of` makes of each, in one transaction.

        Returns those that were still this process's; the others' leases have run out and somebody else took them.
        """
        ...


class ContactDirectory(Protocol):
    """Intake's contacts."""

    async def look_up(self, requests: Sequence[ContactRequest]) -> Mapping[UUID, Contact]:
        """The contacts by reporter; one whose data were erased is left out. Raises ContactsUnavailable."""
        ...


class Mailer(Protocol):
    """The mail relay."""

    async def send(self, mails: Sequence[Mail], seconds: float, stopping: asyncio.Event) -> Handover:
        """Send mails. What was not begun within `seconds`, or before `stopping`, comes back as NotTried."""
        ...


class LetterWriter(Protocol):
    """The templates."""

    def write(self, claimed: Claimed, *, name: str | None, page: str, access_code: str | None = None) -> MailContent:
        """The letter of a delivery. Raises UnrenderableLetter."""
        ...


class UnrenderableLetter(Exception):
    """A template and its variables do not fit; the message names the template and the fault."""


class SpanRecorder(Protocol):
    """Records finished spans."""

    def child(self, name: str, kind: SpanKind, traceparent: str, start_ns: int, end_ns: int, **attributes: str | int) -> str:
        """Record a span below `traceparent`; returns the traceparent of what follows from it."""
        ...
