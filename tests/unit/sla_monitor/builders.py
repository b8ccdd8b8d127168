"""Test data: a calendar, a planner, and the history of a case announced event by event."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sla_monitor.domain.deadlines import DeadlinePlanner
from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Service, ServiceClass, Transition
from tuntas_reference.calendar_files import load_calendar
from tuntas_reference.profile import DEFAULT_PROFILE

JAKARTA, MAKASSAR, JAYAPURA = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Makassar"), ZoneInfo("Asia/Jayapura")
SPACE = UUID("0195e2f0-0000-7000-8000-000000000000")
CASE_ID = UUID("0195e2f0-0000-7000-8000-000000000001")
AGENCY = "kota-bandung"
PLANNER = DeadlinePlanner(load_calendar())


def wib(text: str) -> datetime:
    """A moment in Jakarta's time, "2026-03-12 10:00", in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA).astimezone(UTC)


def an_id(name: str) -> UUID:
    """A fixed id with a name."""
    return uuid5(SPACE, name)


def a_report(submitted_at: datetime) -> ReportContent:
    """A report as others than intake see it."""
    return ReportContent(
        tracking_id="TRK-1",
        reporter_ref=an_id("reporter"),
        classification=Classification.COMPLAINT,
        title="Jalan berlubang",
        body="Sudah dua bulan tidak diperbaiki.",
        submitted_at=submitted_at,
        profile=DEFAULT_PROFILE,
    )


@dataclass
class History:
    """Writes the events of one case, with versions that count by themselves."""

    case_id: UUID = CASE_ID
    time_zone: str = "Asia/Jakarta"
    version: int = 1
    bounces: int = 0
    _inputs: int = field(default=0, repr=False)

    def _base(self, at: datetime, transition: Transition | None, state: CaseState, owner: Service) -> dict[str, Any]:
        self.version += 1
        return {
            "case_id": self.case_id,
            "version": self.version,
            "occurred_at": at,
            "transition": transition,
            "state": state,
            "owner": owner,
        }

    def received(self, at: datetime, *, entered_at: datetime | None = None, profile: str | None = DEFAULT_PROFILE) -> cases.CaseReceived:
        """T1, of a report that may have been received by hand before it was entered."""
        return cases.CaseReceived(
            **self._base(at, Transition.T1, CaseState.RECEIVED, Service.TRIAGE),
            reason="no_agency_addressed",
            profile=profile,
            submitted_at=entered_at or at,
        )

    def forwarded(
        self, at: datetime, fast_track: cases.FastTrack | None = None, *, entered_at: datetime | None = None
    ) -> cases.CaseForwarded:
        """T2, or T3 where it is not the first event of the case; T21 with a fast track."""
        state = CaseState.DISPATCHED if fast_track else CaseState.AT_AGENCY
        at_agency = Transition.T2 if self.version == 1 else Transition.T3
        return cases.CaseForwarded(
            **self._base(at, Transition.T21 if fast_track else at_agency, state, Service.DISPATCH),
            agency=AGENCY,
            time_zone=self.time_zone,
            report=a_report(entered_at or at - timedelta(minutes=1)),
            published=True,
            bounces=self.bounces,
            fast_track=fast_track,
        )

    def accepted(self, at: datetime, service_class: ServiceClass = ServiceClass.ORDINARY, limit: int = 14) -> cases.CaseAccepted:
        """T4."""
        return cases.CaseAccepted(
            **self._base(at, Transition.T4, CaseState.DISPATCHED, Service.DISPATCH),
            agency=AGENCY,
            assessment=cases.Assessment(unit="dinas-pu", service_class=service_class, completion_limit=limit),
        )

    def handling_started(self, at: datetime) -> cases.HandlingStarted:
        """T5."""
        return cases.HandlingStarted(
            **self._base(at, Transition.T5, CaseState.IN_PROGRESS, Service.DISPATCH),
            agency=AGENCY,
            assessment=cases.Assessment(unit="dinas-pu", service_class=ServiceClass.ORDINARY, completion_limit=14),
        )

    def returned(self, at: datetime) -> cases.CaseReturned:
        """T10; the second goes to arbitration."""
        self.bounces += 1
        return cases.CaseReturned(
            **self._base(at, Transition.T10, CaseState.RECEIVED, Service.TRIAGE),
            agency=AGENCY,
            reason="bukan wewenang",
            bounces=self.bounces,
            arbitration=self.bounces >= 2,
        )

    def followed_up(self, at: datetime) -> cases.FollowUpRecorded:
        """T14."""
        base = self._base(at, Transition.T14, CaseState.IN_PROGRESS, Service.DISPATCH)
        return cases.FollowUpRecorded(**base, agency=AGENCY, note="ke lokasi")

    def answered(self, at: datetime, supplement: bool = False) -> cases.CaseAnswered:
        """T15."""
        base = self._base(at, Transition.T15, CaseState.RESPONDED, Service.DISPATCH)
        return cases.CaseAnswered(**base, agency=AGENCY, answer="sudah diperbaiki", supplement=supplement)

    def resumed(self, at: datetime, input_id: UUID | None = None) -> cases.CaseResumed:
        """T16."""
        base = self._base(at, Transition.T16, CaseState.IN_PROGRESS, Service.DISPATCH)
        return cases.CaseResumed(**base, agency=AGENCY, reply="belum", input_id=input_id)

    def closed(self, at: datetime, *, satisfied: bool = False) -> cases.CaseClosed:
        """T17, or T18 if satisfied."""
        base = self._base(at, Transition.T18 if satisfied else Transition.T17, CaseState.CLOSED, Service.DISPATCH)
        return cases.CaseClosed(**base, agency=AGENCY, reason="satisfied" if satisfied else "no_reply", rating=5 if satisfied else None)

    def archived(self, at: datetime) -> cases.CaseArchived:
        """T13."""
        base = self._base(at, Transition.T13, CaseState.ARCHIVED, Service.TRIAGE)
        return cases.CaseArchived(**base, reason=ArchiveReason.TOO_GENERAL)

    def refused(self, at: datetime, input_id: UUID) -> cases.InputRefused:
        """The owner could not act on an input."""
        base = self._base(at, None, CaseState.RESPONDED, Service.DISPATCH)
        return cases.InputRefused(**base, input_id=input_id, code="too_late", detail="jendela sudah lewat")

    def replied(self, at: datetime, input_id: UUID | None = None) -> cases.ReporterReplied:
        """The reporter's reply, before the owner has decided on it."""
        self._inputs += 1
        return cases.ReporterReplied(
            case_id=self.case_id, input_id=input_id or an_id(f"reply-{self._inputs}"), occurred_at=at, text="belum selesai"
        )


Event = CaseEvent | InputEvent
FAST_TRACK = cases.FastTrack(rule="epidemic", unit="p2p", service_class=ServiceClass.ORDINARY, follow_up_limit=1, completion_limit=3)
