"""A case's history as its reporter may read it, and where the case stands according to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.vocabulary import CaseState, Clock, Service
from tuntas_reference.calendar import CalendarError, WorkingCalendar
from tuntas_reference.deadlines import NATIONAL_TIME_ZONE, due_at, zone_of

Detail = Mapping[str, str | int | Sequence[str]]


class HistoryEntry(NamedTuple):
    """One event of the owner of a case, with those of its words that are meant for the reporter in `detail`."""

    case_id: UUID
    version: int
    event: str
    transition: str | None
    state: CaseState
    owner: Service
    agency: str | None
    occurred_at: datetime
    detail: Detail


def entry_of(event: CaseEvent) -> HistoryEntry:
    """The entry that an event makes; an event of a type that is unknown here has no detail."""
    return HistoryEntry(
        case_id=event.case_id,
        version=event.version,
        event=type(event).__name__,
        transition=str(event.transition) if event.transition else None,
        state=event.state,
        owner=event.owner,
        agency=getattr(event, "agency", None),
        occurred_at=event.occurred_at,
        detail=_detail(event),
    )


def _detail(event: CaseEvent) -> Detail:
    match event:
        case cases.CaseReceived():
            return {"reason": event.reason}
        case cases.CaseForwarded():
            return {"time_zone": event.time_zone}
        case cases.CaseArchived():
            return {"reason": str(event.reason)} | ({"text": event.note} if event.note else {})
        case cases.CaseAccepted() | cases.HandlingStarted():
            return {"unit": event.assessment.unit, "completion_limit": event.assessment.completion_limit}
        case cases.CaseReturned():
            return {"text": event.reason}
        case cases.FollowUpRecorded():
            return {"text": event.note}
        case cases.CaseAnswered():
            return {"text": event.answer, "evidence": event.evidence}
        case cases.CaseResumed():
            return {"text": event.reply}
        case cases.CaseClosed():
            return {"reason": event.reason} | ({"rating": event.rating} if event.rating else {})
        case cases.InputRefused():
            return {"reason": event.code, "text": event.detail}
    return {}


@dataclass(frozen=True, slots=True)
class CaseStatus:
    """Where a case stands: `agency` is the one that has it, or had it when it was archived."""

    version: int = 1
    state: CaseState = CaseState.RECEIVED
    owner: Service = Service.TRIAGE
    agency: str | None = None
    answered_at: datetime | None = None
    time_zone: str = NATIONAL_TIME_ZONE
    updated_at: datetime | None = None


def case_status(history: Sequence[HistoryEntry]) -> CaseStatus:
    """Where the case stands after its history, which is in order of version and may be empty.

    Of a long one these are enough: the last event, and the last CaseForwarded, CaseReturned and CaseAnswered.
    """
    if not history:
        return CaseStatus()
    agency: str | None = None
    answered_at: datetime | None = None
    zone = NATIONAL_TIME_ZONE
    for entry in history:
        if entry.event in ("CaseReturned", "CaseReceived"):
            agency = None
        elif entry.agency:
            agency = entry.agency
        if entry.event == "CaseAnswered":
            answered_at = entry.occurred_at
        zone = str(entry.detail.get("time_zone", zone))
    last = history[-1]
    return CaseStatus(last.version, last.state, last.owner, agency, answered_at, zone, last.occurred_at)


def reply_possible_until(calendar: WorkingCalendar, profile: str, answered_at: datetime, time_zone: str) -> datetime | None:
    """The last second in which a reply (T16) or rating (T18) is in time, local time: the end of C6 under the case's profile.

    None where this release does not know the profile or the zone.
    """
    try:
        end = due_at(calendar, profile, Clock.C6, answered_at, time_zone)
        return (end - timedelta(seconds=1)).astimezone(zone_of(time_zone))
    except (CalendarError, LookupError):
        return None
