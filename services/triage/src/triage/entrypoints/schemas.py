"""What officers see and send over HTTP."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from triage.adapters.queue import FiledCase
from triage.domain.case import Case
from triage.domain.register import Register, candidates
from triage.domain.verification import Archive, Verify
from tuntas_chassis.http.answers import MAX_MANY, MAX_PAGE, Code, Cursor, Line, Moment, Prose, Total
from tuntas_contracts.base import TEXT_PATTERN, AgencyCode
from tuntas_contracts.open_values import AnyArchiveReason
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.texts.normalisation import visible
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Clock, Service

Title = Annotated[str, Field(min_length=1, max_length=300, pattern=TEXT_PATTERN), AfterValidator(visible)]
Note = Annotated[str, Field(min_length=1, max_length=2_000, pattern=TEXT_PATTERN), AfterValidator(visible)]
CategoryCode = Annotated[str, Field(max_length=100, pattern=r"^[a-z][a-z.-]*$", description="A category's code, such as health.hospitals")]


class Request(BaseModel):
    """A request body; a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ForwardRequest(Request):
    """Verify and route (T3)."""

    agency: AgencyCode = Field(description="The competent agency, enabled in the register")
    title: Title | None = Field(default=None, description="An edited title; the original stays as it is")
    category: CategoryCode | None = None
    classification: Classification | None = None

    def command(self) -> Verify:
        """The command that this asks for."""
        return Verify(self.agency, self.title, self.category, self.classification)


class ArchiveRequest(Request):
    """Archive with a reason of the case's regulation profile (T13)."""

    reason: ArchiveReason
    note: Note | None = Field(default=None, description="For the reporter: why, and what they can do")
    duplicate_of: UUID | None = Field(default=None, description="The case that stays open; with the reason `duplicate` only")

    def command(self) -> Archive:
        """The command that this asks for."""
        return Archive(self.reason, self.note, self.duplicate_of)


class Suggestion(BaseModel):
    """An agency that may be competent; `because` is `suggested_by_reporter`, `region` or `sector`."""

    agency: Code
    name: Line
    because: Code


class CaseView(BaseModel):
    """A case as triage knows it, with the masked report as last edited.

    `clock` runs since `waiting_since` while the case waits; its deadline is sla-monitor's. `owner` alone may change the case.
    """

    case_id: UUID
    version: Total
    state: CaseState
    owner: Service
    waiting_reason: Code | None
    waiting_since: Moment | None
    clock: Clock | None
    arbitration: bool
    bounces: Total
    agency: Code | None = Field(description="The agency that has the case or had it last")
    return_reason: Prose | None
    archive_reason: AnyArchiveReason | None
    archive_note: Prose | None
    duplicate_of: UUID | None
    report: ReportContent
    suggestions: Annotated[list[Suggestion], Field(max_length=MAX_MANY)]

    @classmethod
    def of(cls, filed: FiledCase, register: Register) -> "CaseView":
        """What is shown of a case; suggestions only while it waits."""
        case, report = filed.case, filed.case.edited(filed.report)
        waiting = case.waiting_since is not None
        return cls(
            case_id=case.case_id,
            version=case.version,
            state=case.state,
            owner=case.owner,
            waiting_reason=case.waiting_reason,
            waiting_since=case.waiting_since,
            clock=(Clock.C10 if case.arbitration else Clock.C1) if waiting else None,
            arbitration=case.arbitration,
            bounces=case.bounces,
            agency=case.agency,
            return_reason=case.return_reason,
            archive_reason=case.archive_reason,
            archive_note=case.archive_note,
            duplicate_of=case.duplicate_of,
            report=report,
            suggestions=_suggestions(case, report, register) if waiting else [],
        )


class QueuePage(BaseModel):
    """A page of the national queue; `next_cursor` is null on the last page."""

    cases: Annotated[list[CaseView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None


class CommandResult(BaseModel):
    """Where a case stands after a command."""

    case_id: UUID
    version: Total
    state: CaseState
    owner: Service
    agency: Code | None

    @classmethod
    def of(cls, case: Case) -> "CommandResult":
        """The result that shows this case."""
        return cls(case_id=case.case_id, version=case.version, state=case.state, owner=case.owner, agency=case.agency)


def _suggestions(case: Case, report: ReportContent, register: Register) -> list[Suggestion]:
    if case.misconduct:
        return []
    region = report.place.region_code if report.place else None
    found = candidates(register, suggested=report.suggested_agency, category=case.category, region_code=region)
    returned_by = case.agency if case.bounces and not case.arbitration else None
    return [Suggestion(agency=c.agency.code, name=c.agency.name, because=c.because) for c in found if c.agency.code != returned_by]
