"""The life of a delivery: queued, taken under a lease, and sent, failed, or queued again; at night it may wait for the morning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from notifier.domain.notices import NoticeKind, Value
from tuntas_contracts.vocabulary import Role

# After a failure of this mail that may pass; a day and three quarters in all
RETRY_AFTER = tuple(timedelta(seconds=s) for s in (10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 43_200))
LIMITED_FOR = timedelta(minutes=15)
MAX_REPEATS = 1


class Status(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    WAITING = "waiting"  # for the morning
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    NO_CHANNEL = "no_channel"
    SET_ASIDE = "set_aside"


ENDED = frozenset({Status.SENT, Status.FAILED, Status.NO_CHANNEL})


class Delivery(NamedTuple):
    """A notice to be delivered. `occurred_at` is the business time of the event that caused it, `traceparent` its trace.

    A `recipient` of a later release is a text: whoever takes the delivery sets it aside, for a release that knows the role.
    """

    notice_id: UUID
    case_id: UUID
    kind: NoticeKind
    recipient: Role | str
    agency: str | None
    variables: Mapping[str, Value]
    occurred_at: datetime
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process has to send before `lease_until`, with what the database knows for it.

    `attempt` counts from 1. `repeats`: how often an earlier attempt may have reached its reader although that was never
    recorded. `reporter_ref`, `tracking_id` and `profile` are None while the case has not been read from the topic.
    """

    delivery: Delivery
    attempt: int
    repeats: int
    lease_until: datetime
    created_at: datetime
    reporter_ref: UUID | None
    tracking_id: str | None
    profile: str | None
    agency_name: str | None
    agency_email: str | None
    agency_time_zone: str | None
    supervisor_email: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The mail server took it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It can't be delivered, now or later. `dead_address`: because nobody reads mail at the address."""

    reason: str
    dead_address: bool = False


@dataclass(frozen=True, slots=True)
class NoChannel:
    """There is no way to write to this reader: a phone number alone, paper without a contact, or data that were erased. No failure."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It failed for now: try again on the schedule. `limited`: for too many mails, so not before `LIMITED_FOR`."""

    reason: str
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It was cut off after the mail had gone out and before the server's answer: it may have been taken."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotTried:
    """Nothing was done about it, through no fault of its own: it waits `delay` and the attempt is not counted."""

    reason: str
    delay: timedelta = field(default_factory=timedelta)


@dataclass(frozen=True, slots=True)
class Postponed:
    """It waits for the morning: until `until`, business time, and the attempt is not counted."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Unhandled:
    """This code can't make a mail of it: it waits for code that can, and the attempt is not counted."""

    reason: str


Result = Accepted | Refused | NoChannel | Unhandled | Deferred | Uncertain | NotTried | Postponed


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written of a claimed delivery. `attempts` and `repeats` are the new counts.

    `next_attempt_at` is real time, but business time of one that is `waiting`.
    """

    claimed: Claimed
    status: Status
    next_attempt_at: datetime
    attempts: int
    repeats: int
    reason: str | None


def outcome_of(claimed: Claimed, result: Result, now: datetime) -> Settlement:
    """What becomes of a delivery after an attempt. At most `MAX_REPEATS` times is a mail sent that may have arrived already."""
    attempts, repeats = claimed.attempt, claimed.repeats
    least = timedelta()
    match result:
        case Accepted():
            return Settlement(claimed, Status.SENT, now, attempts, repeats, None)
        case Refused(reason):
            return Settlement(claimed, Status.FAILED, now, attempts, repeats, reason)
        case NoChannel(reason):
            return Settlement(claimed, Status.NO_CHANNEL, now, attempts, repeats, reason)
        case Unhandled(reason):
            return Settlement(claimed, Status.SET_ASIDE, now, attempts - 1, repeats, reason)
        case Postponed(until):
            return Settlement(claimed, Status.WAITING, until, attempts - 1, repeats, None)
        case NotTried(reason, delay):
            return Settlement(claimed, Status.QUEUED, now + delay, attempts - 1, repeats, reason)
        case Uncertain(reason):
            if repeats >= MAX_REPEATS:
                return Settlement(claimed, Status.FAILED, now, attempts, repeats, f"outcome_unknown: {reason}")
            repeats += 1
        case Deferred(reason, limited):
            least = LIMITED_FOR if limited else least
    if attempts > len(RETRY_AFTER):
        return Settlement(claimed, Status.FAILED, now, attempts, repeats, f"too_many_attempts: {reason}")
    return Settlement(claimed, Status.QUEUED, now + max(RETRY_AFTER[attempts - 1], least), attempts, repeats, reason)
