"""Test data: events, deliveries and claimed deliveries as the notifier meets them."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from notifier.domain.delivery import Claimed, Delivery
from notifier.domain.notices import NoticeKind, Value
from tuntas_chassis.messaging.messages import Incoming
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.base import Actor, CaseEvent, Contract
from tuntas_contracts.cases import (
    Assessment,
    CaseAccepted,
    CaseAnswered,
    CaseArchived,
    CaseClosed,
    CaseForwarded,
    CaseReceived,
    CaseResumed,
    CaseReturned,
    FastTrack,
    FollowUpRecorded,
    HandlingStarted,
    InputRefused,
    ReportSubmitted,
)
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.notices import NoticeFailed, NoticeNotSent, NoticeSent
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.sla import DeadlineMissed, DeadlineWarning
from tuntas_contracts.vocabulary import (
    ArchiveReason,
    CaseState,
    Classification,
    Clock,
    Role,
    Service,
    ServiceClass,
    WarningLevel,
)
from tuntas_reference.profile import DEFAULT_PROFILE

NOON = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)  # a Monday, 12:00 in Jakarta
DUE = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # the end of Tuesday 24 November in Jakarta, as midnight
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


E = TypeVar("E", bound=CaseEvent)


def an_id(name: str) -> UUID:
    """An id that is the same wherever the name is."""
    return uuid5(UUID("0197f1a0-0000-7000-8000-000000000000"), name)


CASE_ID = an_id("case")
REPORTER_REF = an_id("reporter")


def a_report(**changes: Any) -> ReportContent:
    """A report, as every service but intake may see it."""
    values: dict[str, Any] = {
        "tracking_id": "2611-7KQ4-XM",
        "reporter_ref": REPORTER_REF,
        "classification": Classification.COMPLAINT,
        "title": "Lampu jalan padam",
        "body": "Sudah dua minggu lampu di depan sekolah padam.",
        "submitted_at": NOON,
        "profile": DEFAULT_PROFILE,
    }
    return ReportContent(**(values | changes))


def _case(kind: type[E], state: CaseState, version: int, **values: Any) -> E:
    owner = Service.TRIAGE if state in (CaseState.RECEIVED, CaseState.ARCHIVED) else Service.DISPATCH
    base: dict[str, Any] = {"case_id": CASE_ID, "version": version, "occurred_at": NOON, "state": state, "owner": owner}
    return kind(**(base | values))


def submitted(version: int = 1, **report: Any) -> ReportSubmitted:
    """Intake took it."""
    return _case(ReportSubmitted, CaseState.RECEIVED, version, report=a_report(**report))


def received(version: int = 2) -> CaseReceived:
    """It waits in the national queue."""
    return _case(CaseReceived, CaseState.RECEIVED, version, reason="no_agency_addressed")


def forwarded(version: int = 2, agency: str = "kemenkes", report: dict[str, Any] | None = None, **values: Any) -> CaseForwarded:
    """It went to an agency."""
    given = {"agency": agency, "time_zone": "Asia/Jakarta", "report": a_report(**(report or {})), "published": True} | values
    return _case(CaseForwarded, CaseState.AT_AGENCY, version, **given)


def fast_tracked(version: int = 2) -> CaseForwarded:
    """It went straight to the officer in charge."""
    track = FastTrack(rule="epidemic", unit="p2p", service_class=ServiceClass.ORDINARY, follow_up_limit=1, completion_limit=3)
    return forwarded(version, fast_track=track).model_copy(update={"state": CaseState.DISPATCHED})


def accepted(version: int = 3) -> CaseAccepted:
    """The agency took it."""
    return _case(CaseAccepted, CaseState.DISPATCHED, version, agency="kemenkes", assessment=_assessment())


def handling_started(version: int = 3) -> HandlingStarted:
    """The agency administrator handles it."""
    return _case(HandlingStarted, CaseState.IN_PROGRESS, version, agency="kemenkes", assessment=_assessment())


def followed_up(version: int = 4) -> FollowUpRecorded:
    """A first follow-up."""
    return _case(FollowUpRecorded, CaseState.IN_PROGRESS, version, agency="kemenkes", note="Sedang diperiksa.")


def returned(version: int = 3, *, arbitration: bool = False) -> CaseReturned:
    """Bukan wewenang."""
    return _case(CaseReturned, CaseState.RECEIVED, version, agency="kemenkes", reason="Bukan kami.", bounces=1, arbitration=arbitration)


def archived(version: int = 3, reason: ArchiveReason = ArchiveReason.TOO_GENERAL) -> CaseArchived:
    """Archived with a reason."""
    return _case(CaseArchived, CaseState.ARCHIVED, version, reason=reason)


def answered(version: int = 5, *, supplement: bool = False) -> CaseAnswered:
    """A substantive answer, in a text that may name people."""
    return _case(
        CaseAnswered, CaseState.RESPONDED, version, agency="kemenkes", answer="Ibu Siti, lampunya sudah menyala.", supplement=supplement
    )


def resumed(version: int = 6) -> CaseResumed:
    """The reporter replied in time."""
    return _case(CaseResumed, CaseState.IN_PROGRESS, version, agency="kemenkes", reply="Masih padam.")


def closed(version: int = 6, reason: str = "no_reply", rating: int | None = None) -> CaseClosed:
    """Closed by time or by the reporter."""
    return _case(CaseClosed, CaseState.CLOSED, version, agency="kemenkes", reason=reason, rating=rating)


def refused(version: int = 7, role: Role = Role.REPORTER, state: CaseState = CaseState.CLOSED, code: str = "window_over") -> InputRefused:
    """An input that came to nothing."""
    return _case(InputRefused, state, version, code=code, detail="-", actor=Actor(role=role, subject="x"))


def warning(clock: Clock, level: WarningLevel, *recipients: Role, agency: str | None = "kemenkes", **values: Any) -> DeadlineWarning:
    """A checkpoint was reached."""
    return DeadlineWarning(**(_deadline(clock, agency) | {"level": level, "recipients": recipients} | values))


def missed(clock: Clock, *recipients: Role, agency: str | None = "kemenkes", **values: Any) -> DeadlineMissed:
    """A clock ran out."""
    return DeadlineMissed(**(_deadline(clock, agency) | {"recipients": recipients} | values))


def _deadline(clock: Clock, agency: str | None) -> dict[str, Any]:
    return {
        "case_id": CASE_ID,
        "clock": clock,
        "deadline_version": 1,
        "occurred_at": NOON,
        "due_at": DUE,
        "agency": agency,
        "unit": "pelayanan",
        "service_class": ServiceClass.ORDINARY,
    }


def registered(code: str = "kemenkes", occurred_at: datetime = NOON, **values: Any) -> AgencyRegistered:
    """An entry of the register."""
    given: dict[str, Any] = {
        "code": code,
        "name": "Kementerian Kesehatan",
        "kind": "ministry",
        "time_zone": "Asia/Jakarta",
        "email": f"pengaduan@{code}.agency.example",
        "occurred_at": occurred_at,
    }
    return AgencyRegistered(**(given | values))


def incoming(body: Contract, message: str = "message") -> Incoming:
    """A message as the delivery core hands it over."""
    envelope = Envelope(an_id(message), "tests", type(body).__name__, str(CASE_ID), NOON, TRACE)
    return Incoming(envelope, str(CASE_ID), body, "topic", 0, 0, NOON)


def _assessment() -> Assessment:
    return Assessment(unit="pelayanan", service_class=ServiceClass.ORDINARY, completion_limit=14)


def a_delivery(
    name: str = "notice",
    kind: NoticeKind = NoticeKind.RESUMED,
    recipient: Role | str = Role.REPORTER,
    case: str = "case",
    agency: str | None = "kemenkes",
    **variables: Value,
) -> Delivery:
    """A delivery whose ids follow from the names."""
    return Delivery(an_id(name), an_id(case), kind, recipient, agency, variables, NOON, TRACE)


def a_notice_sent(delivery: Delivery) -> NoticeSent:
    """The event that this delivery was sent."""
    return NoticeSent(**_of(delivery), attempt=1)


def a_notice_failed(delivery: Delivery) -> NoticeFailed:
    """The event that this delivery was given up."""
    return NoticeFailed(**_of(delivery), reason="no_mailbox")


def a_notice_not_sent(delivery: Delivery) -> NoticeNotSent:
    """The event that there was no channel for this delivery."""
    return NoticeNotSent(**_of(delivery), reason="no_email")


def _of(delivery: Delivery) -> dict[str, Any]:
    return {
        "notice_id": delivery.notice_id,
        "case_id": delivery.case_id,
        "kind": delivery.kind.value,
        "recipient": delivery.recipient,
        "agency": delivery.agency,
        "message_id": f"<{delivery.notice_id}@lapor.example>",
        "occurred_at": NOON,
    }


def a_claimed(delivery: Delivery | None = None, **changes: Any) -> Claimed:
    """A delivery at its first attempt, with all that the database knows for it."""
    values: dict[str, Any] = {
        "delivery": delivery or a_delivery(),
        "attempt": 1,
        "repeats": 0,
        "lease_until": NOON + timedelta(minutes=1),
        "created_at": NOON,
        "reporter_ref": REPORTER_REF,
        "tracking_id": "2611-7KQ4-XM",
        "profile": DEFAULT_PROFILE,
        "agency_name": "Kementerian Kesehatan",
        "agency_email": "pengaduan@kemenkes.agency.example",
        "agency_time_zone": "Asia/Jakarta",
        "supervisor_email": None,
    }
    return Claimed(**(values | changes))
