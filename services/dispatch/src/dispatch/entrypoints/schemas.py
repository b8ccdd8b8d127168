"""What officers see and send over HTTP about their cases."""

from abc import abstractmethod
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dispatch.adapters.case_queries import StoredCase
from dispatch.domain.case import Case, allowed_actions
from tuntas_chassis.http.answers import MAX_FEW, MAX_PAGE, Code, Cursor, Moment, Total
from tuntas_contracts.agencies import AcceptCase, AgencyCommand, AnswerCase, HandleCase, RecordFollowUp, ReturnCase
from tuntas_contracts.base import TEXT_PATTERN
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.texts.normalisation import visible
from tuntas_contracts.vocabulary import CaseState, Classification, Service, ServiceClass

Long = Annotated[str, Field(min_length=1, max_length=20_000, pattern=TEXT_PATTERN), AfterValidator(visible)]
Short = Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT_PATTERN), AfterValidator(visible)]


class Request(BaseModel):
    """A request body; a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CommandRequest(Request):
    """What an officer asks for."""

    @abstractmethod
    def command(self, case_id: UUID) -> AgencyCommand:
        """The command that this asks for."""


class AcceptRequest(CommandRequest):
    """Accept a case for a unit (T4). The service class follows from the classification and the three flags."""

    unit: Short = Field(description="The code of a unit of the agency, as GET /v1/agencies/{code} lists them")
    normative: bool = Field(default=False, description="A rule answers it (bersifat normatif)")
    supervision_content: bool = Field(default=False, description="Berkadar pengawasan")
    field_inspection: bool = Field(default=False, description="Needs a field inspection (pemeriksaan lapangan)")
    category: Annotated[str, Field(max_length=100, pattern=r"^[a-z][a-z.-]*$")] | None = None
    title: Annotated[str, Field(min_length=1, max_length=300, pattern=TEXT_PATTERN), AfterValidator(visible)] | None = Field(
        default=None, description="An edited title; the original stays as it is"
    )

    def command(self, case_id: UUID) -> AgencyCommand:
        """The command that this asks for."""
        return AcceptCase(case_id=case_id, **self.model_dump())


class HandleRequest(AcceptRequest):
    """Handle a case oneself (T5), with the same fields."""

    def command(self, case_id: UUID) -> AgencyCommand:
        """The command that this asks for."""
        return HandleCase(case_id=case_id, **self.model_dump())


class ReturnRequest(CommandRequest):
    """Return a case as *bukan wewenang* (T10)."""

    reason: Long = Field(description="Why it is not yours, and whose it may be")

    def command(self, case_id: UUID) -> AgencyCommand:
        """The command that this asks for."""
        return ReturnCase(case_id=case_id, reason=self.reason)


class FollowUpRequest(CommandRequest):
    """Record the first follow-up (T14, tindak lanjut)."""

    note: Long

    def command(self, case_id: UUID) -> AgencyCommand:
        """The command that this asks for."""
        return RecordFollowUp(case_id=case_id, note=self.note)


class AnswerRequest(CommandRequest):
    """Answer a case, or add to an answer (T15)."""

    answer: Long = Field(description="For the reporter: what was found and what was done")
    evidence: Annotated[tuple[Short, ...], Field(max_length=50)] = ()

    def command(self, case_id: UUID) -> AgencyCommand:
        """The command that this asks for."""
        return AnswerCase(case_id=case_id, answer=self.answer, evidence=self.evidence)


class CaseStatus(BaseModel):
    """Where a case stands. `owner` alone may change it; `possible` is what the agency's officers may do now.

    `completion_limit` is in working days; the deadlines themselves are sla-monitor's.
    """

    case_id: UUID
    version: Total
    state: CaseState
    owner: Service
    agency: Code
    time_zone: Code
    unit: Code | None
    classification: Classification
    service_class: ServiceClass | None
    completion_limit: Total | None
    bounces: Total
    arbitrated: bool = Field(description="Assigned by binding arbitration: it can't be returned")
    answers: Total
    answered_at: Moment | None
    closed_at: Moment | None
    closed_reason: Code | None
    changed_at: Moment
    possible: Annotated[list[Code], Field(max_length=MAX_FEW)]

    @classmethod
    def of(cls, case: Case) -> "CaseStatus":
        """What is shown of a case."""
        return cls(**_status(case))


class CaseView(CaseStatus):
    """A case with its report, in which every identifier of its writer is masked."""

    report: ReportContent

    @classmethod
    def of_stored(cls, stored: StoredCase) -> "CaseView":
        """What is shown of a stored case."""
        return cls(**_status(stored.case), report=stored.report)


class CasePage(BaseModel):
    """A page of an agency's cases; `next_cursor` is null on the last page."""

    cases: Annotated[list[CaseView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None


def _status(case: Case) -> "dict[str, object]":
    return {
        "case_id": case.case_id,
        "version": case.version,
        "state": case.state,
        "owner": case.owner,
        "agency": case.agency,
        "time_zone": case.time_zone,
        "unit": case.unit,
        "classification": case.classification,
        "service_class": case.service_class,
        "completion_limit": case.completion_limit,
        "bounces": case.bounces,
        "arbitrated": case.arbitrated,
        "answers": case.answers,
        "answered_at": case.answered_at,
        "closed_at": case.closed_at,
        "closed_reason": case.closed_reason,
        "changed_at": case.last_event_at,
        "possible": list(allowed_actions(case.state)) if case.owner is Service.DISPATCH else [],
    }
