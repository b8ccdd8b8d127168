"""Test data: reports, agencies, messages and cases as triage meets them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from tests.support.names import NAMES
from triage.application.handlers import Handlers
from triage.domain.case import Case
from triage.domain.register import Agency
from tuntas_chassis.messaging.messages import Incoming
from tuntas_contracts.base import Actor, CaseEvent, Contract, InputEvent
from tuntas_contracts.cases import (
    CaseForwarded,
    CaseReturned,
    ReporterConfirmed,
    ReporterErased,
    ReporterReplied,
    ReportSubmitted,
    WindowElapsed,
)
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import CaseState, Classification, Clock, Role, Service, Transition
from tuntas_reference.profile import DEFAULT_PROFILE

NOON = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Jakarta
LATER = NOON + timedelta(hours=1)
STARTED = NOON - timedelta(days=1)
SPACE = UUID("0195e2f0-0000-7000-8000-000000000000")
CASE_ID = uuid5(SPACE, "case")
OFFICER = Actor(role=Role.NATIONAL_ADMINISTRATOR, subject="officer-1")


def an_id(name: str) -> UUID:
    """A fixed id with a name."""
    return uuid5(SPACE, name)


def an_agency(code: str, **changes: Any) -> Agency:
    """An enabled agency."""
    values: dict[str, Any] = {
        "code": code,
        "name": f"Instansi {code}",
        "time_zone": "Asia/Jakarta",
        "enabled": True,
        "region_code": None,
        "sectors": (),
        "as_of": STARTED,
    }
    return Agency(**(values | changes))


@dataclass
class FakeRegister:
    """A register whose agencies a test puts in and changes."""

    agencies: dict[str, Agency] = field(default_factory=dict)

    @classmethod
    def of(cls, *agencies: Agency) -> "FakeRegister":
        """A register of these."""
        return cls({agency.code: agency for agency in agencies})

    def get(self, code: str) -> Agency | None:
        """The agency of that code."""
        return self.agencies.get(code)

    def enabled(self) -> Iterable[Agency]:
        """Those that take cases."""
        return [agency for agency in self.agencies.values() if agency.enabled]


def a_register() -> FakeRegister:
    """Two cities, two ministries, and an agency that has ended."""
    return FakeRegister.of(
        an_agency("kota-bandung", region_code="32.73"),
        an_agency("kota-ambon", region_code="81.71", time_zone="Asia/Jayapura"),
        an_agency("kemenkes", sectors=("health",)),
        an_agency("kemenhub", sectors=("transport", "communication-and-information")),
        an_agency("kemen-lama", enabled=False),
    )


def handlers(register: FakeRegister | None = None) -> Handlers:
    """Handlers over a register."""
    return Handlers(register or a_register(), NAMES)


def a_report(**changes: Any) -> ReportContent:
    """A complaint that addresses nobody."""
    values: dict[str, Any] = {
        "tracking_id": "TT-1",
        "reporter_ref": an_id("reporter"),
        "classification": Classification.COMPLAINT,
        "title": "Lampu jalan padam",
        "body": "Lampu jalan di depan pasar padam sejak minggu lalu.",
        "submitted_at": NOON,
        "profile": DEFAULT_PROFILE,
    }
    return ReportContent(**(values | changes))


def submitted(case_id: UUID = CASE_ID, *, name: str | None = None, **report: Any) -> ReportSubmitted:
    """Version 1, by intake; `name` is the reporter's."""
    return ReportSubmitted(
        case_id=case_id,
        version=1,
        occurred_at=NOON,
        state=CaseState.RECEIVED,
        owner=Service.TRIAGE,
        report=a_report(**report),
        name_fingerprints=NAMES.fingerprints(case_id, name),
    )


def returned(
    version: int, bounces: int = 1, *, agency: str = "kota-bandung", case_id: UUID = CASE_ID, at: datetime = LATER
) -> CaseReturned:
    """T10, by dispatch."""
    return CaseReturned(
        case_id=case_id,
        version=version,
        occurred_at=at,
        transition=Transition.T10,
        state=CaseState.RECEIVED,
        owner=Service.TRIAGE,
        agency=agency,
        reason="Jalan nasional, bukan wewenang kota",
        bounces=bounces,
        arbitration=bounces >= 2,
    )


def replied(name: str = "reply", case_id: UUID = CASE_ID) -> ReporterReplied:
    """A reporter's reply."""
    return ReporterReplied(case_id=case_id, input_id=an_id(name), occurred_at=LATER, text="Belum selesai")


def confirmed(name: str = "confirmation", case_id: UUID = CASE_ID) -> ReporterConfirmed:
    """A reporter's confirmation."""
    return ReporterConfirmed(case_id=case_id, input_id=an_id(name), occurred_at=LATER, rating=4)


def elapsed(name: str = "window", case_id: UUID = CASE_ID) -> WindowElapsed:
    """C6 ran out."""
    return WindowElapsed(case_id=case_id, input_id=an_id(name), occurred_at=LATER, clock=Clock.C6, deadline_version=1, due_at=LATER)


def erased(case_id: UUID = CASE_ID) -> ReporterErased:
    """The reporter's personal data was destroyed."""
    return ReporterErased(case_id=case_id, reporter_ref=an_id("reporter"), occurred_at=LATER)


def incoming(
    body: CaseEvent | InputEvent | ReporterErased,
    *,
    source: str = "intake",
    key: str | None = None,
    catching_up: bool = False,
    replayed: bool = False,
    held: bool = False,
    message_id: UUID | None = None,
    appended_at: datetime | None = None,
) -> Incoming:
    """A record of the cases topic with this body."""
    named = f"{type(body).__name__}-{getattr(body, 'version', '')}-{getattr(body, 'input_id', '')}"
    return Incoming(
        envelope=Envelope(message_id or an_id(named), source, type(body).__name__, str(body.case_id), body.occurred_at),
        key=str(body.case_id) if key is None else key,
        body=body,
        topic=CASES.name,
        partition=0,
        offset=0,
        appended_at=appended_at or body.occurred_at,
        catching_up=catching_up,
        replayed=replayed,
        held=held,
    )


def applied(made: Handlers, *bodies: CaseEvent | InputEvent | ReporterErased, case: Case | None = None, replayed: bool = False) -> Case:
    """The case after these events, each of which must concern triage or leave the case as it is."""
    for body in bodies:
        case = made.apply(case, incoming(body, replayed=replayed)).state or case
    assert case is not None
    return case


def published(outgoing: Iterable[Any]) -> list[Contract]:
    """The bodies of what goes out."""
    return [message.body for message in outgoing]


def waiting(made: Handlers, **report: Any) -> Case:
    """A case in the national queue, version 2."""
    case = applied(made, submitted(**report))
    assert case.state is CaseState.RECEIVED
    return case


def handed_over(made: Handlers, agency: str = "kota-bandung", name: str | None = None) -> tuple[Case, CaseForwarded]:
    """A case that went to an agency by itself (T2), the hand-over not yet read, with that event."""
    outcome = made.apply(None, incoming(submitted(name=name, addressed_agency=agency)))
    [event] = published(outcome.outgoing)
    assert outcome.state is not None
    assert isinstance(event, CaseForwarded)
    return outcome.state, event
