"""Test data for dispatch: reports, forwarded cases, commands."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from dispatch.domain.case import Case, CommandContext
from dispatch.domain.forwarding import arrive
from tests.support.names import NAMES
from tuntas_contracts.base import Actor
from tuntas_contracts.cases import CaseForwarded, FastTrack
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import CaseState, Classification, Role, Service, ServiceClass, Transition

NOON = datetime(2025, 3, 3, 5, 0, tzinfo=UTC)
BOGOR = "kab-32-01"
BEKASI = "kota-32-75"
UNITS = {BOGOR: frozenset({"dinas-pu", "layanan"}), BEKASI: frozenset({"dinas-pu", "layanan"})}


def a_report(classification: Classification = Classification.COMPLAINT, **changes: object) -> ReportContent:
    """A masked report about a road."""
    fields: dict[str, object] = {
        "tracking_id": "LP-1",
        "reporter_ref": UUID(int=7),
        "classification": classification,
        "title": "Jalan rusak di Cibinong",
        "body": "Jalan di depan pasar berlubang sejak Januari.",
        "submitted_at": NOON,
        "profile": "permenpan-62-2018",
    }
    return ReportContent.model_validate(fields | changes)


def forwarded(
    case_id: UUID | None = None,
    *,
    version: int = 2,
    agency: str = BOGOR,
    at: datetime = NOON,
    by: Transition = Transition.T2,
    report: ReportContent | None = None,
    bounces: int = 0,
    arbitrated: bool = False,
    name: str | None = None,
) -> CaseForwarded:
    """Triage's hand-over; by T21 with a fast track. `name` is the reporter's."""
    case_id = case_id or uuid4()
    fast = by is Transition.T21
    return CaseForwarded(
        case_id=case_id,
        version=version,
        occurred_at=at,
        transition=by,
        state=CaseState.DISPATCHED if fast else CaseState.AT_AGENCY,
        owner=Service.DISPATCH,
        agency=agency,
        time_zone="Asia/Jakarta",
        report=report or a_report(),
        published=True,
        bounces=bounces,
        arbitrated=arbitrated,
        fast_track=FastTrack(rule="disaster", unit="layanan", service_class=ServiceClass.ORDINARY, follow_up_limit=1, completion_limit=3)
        if fast
        else None,
        name_fingerprints=NAMES.fingerprints(case_id, name),
    )


def a_case(**changes: object) -> Case:
    """A case as it arrives at its agency."""
    return arrive(None, forwarded(**changes))  # type: ignore[arg-type]


def an_act(minutes: int = 60, agency: str = BOGOR) -> CommandContext:
    """An agency administrator does something, some minutes after noon."""
    actor = Actor(role=Role.AGENCY_ADMINISTRATOR, subject="officer-1", agency=agency)
    return CommandContext(actor, NOON + timedelta(minutes=minutes), uuid4())
