"""The register, and what passes between the platform and an agency's own system."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from tuntas_contracts.base import AgencyCode, Contract, LongText, ShortText
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import CaseState, Transition


class UnitRecord(Contract):
    """A unit of an agency, answering for some sectors."""

    code: ShortText
    name: ShortText
    kind: Literal["ordinary", "inspectorate", "service_desk"]
    sectors: tuple[ShortText, ...] = ()


class AgencyRegistered(Contract):
    """An entry of the agency register as it stands now (key = code, compacted)."""

    code: AgencyCode
    name: ShortText
    kind: ShortText
    time_zone: ShortText
    region_code: ShortText | None = None
    supervised_by: AgencyCode | None = None
    email: ShortText
    sectors: tuple[ShortText, ...] = ()
    units: tuple[UnitRecord, ...] = ()
    enabled: bool = True
    occurred_at: AwareDatetime


class CaseAssigned(Contract):
    """A case now lies with your agency. Order by `version`; the same id again is the same message."""

    case_id: UUID
    version: Annotated[int, Field(ge=1)]
    agency: AgencyCode
    state: CaseState
    transition: Transition
    occurred_at: AwareDatetime
    unit: ShortText | None = None
    report: ReportContent


class CaseChanged(Contract):
    """A case of your agency moved on. `command_id` is the id of the command that led to it; `text` the reporter's reply."""

    case_id: UUID
    version: Annotated[int, Field(ge=1)]
    agency: AgencyCode
    state: CaseState
    transition: Transition
    occurred_at: AwareDatetime
    unit: ShortText | None = None
    command_id: UUID | None = None
    text: Annotated[str, Field(max_length=20_000)] | None = None


class ActionRefused(Contract):
    """A command of your agency could not be obeyed and changed nothing. `detail` says why and what to do.

    `position` names the refused record (`topic/partition/offset`) where it had no readable id.
    """

    agency: AgencyCode
    command_id: UUID | None = None
    case_id: UUID | None = None
    code: ShortText
    detail: Annotated[str, Field(max_length=2_000)]
    position: ShortText
    occurred_at: AwareDatetime


class AgencyCommand(Contract):
    """A command of an agency's own system. Its CloudEvents id makes a repeat harmless.

    `officer` is the agency's own pseudonym for who acts.
    """

    case_id: UUID
    officer: ShortText | None = None


class AcceptCase(AgencyCommand):
    """Ask for T4. The service class follows from the three flags and the classification."""

    unit: ShortText
    normative: bool = False
    supervision_content: bool = False
    field_inspection: bool = False
    category: ShortText | None = None
    title: Annotated[str, Field(min_length=1, max_length=300)] | None = None


class HandleCase(AcceptCase):
    """Ask for T5: the same fields, and the agency handles the case itself."""


class ReturnCase(AgencyCommand):
    """Ask for T10: *bukan wewenang*, with a reason."""

    reason: LongText


class RecordFollowUp(AgencyCommand):
    """Ask for T14."""

    note: LongText


class AnswerCase(AgencyCommand):
    """Ask for T15, or add a supplement to an answer."""

    answer: LongText
    evidence: tuple[ShortText, ...] = ()
