"""The register, and what passes between the platform and an agency's own system."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tuntas_contracts.base import (
    AgencyCode,
    BusinessTime,
    Contract,
    Evidence,
    LongText,
    MediumText,
    ShortText,
    Title,
    Version,
)
from tuntas_contracts.open_values import AnyAgencyKind, AnyTransition, AnyUnitKind
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import CaseState

SectorCode = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$", max_length=40)]
UnitCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Sectors = Annotated[tuple[SectorCode, ...], Field(max_length=14)]


class UnitRecord(Contract):
    """A unit of an agency, answering for some sectors; `parent` is the code of the unit above it."""

    code: UnitCode
    name: ShortText
    kind: AnyUnitKind
    sectors: Sectors = ()
    parent: UnitCode | None = None


class AgencyRegistered(Contract):
    """An entry of the agency register as it stands now (key = code, compacted)."""

    code: AgencyCode
    name: ShortText
    kind: AnyAgencyKind
    time_zone: ShortText
    region_code: ShortText | None = None
    supervised_by: AgencyCode | None = None
    email: ShortText
    sectors: Sectors = ()
    units: Annotated[tuple[UnitRecord, ...], Field(max_length=400)] = ()
    enabled: bool = True
    occurred_at: BusinessTime


class CaseAssigned(Contract):
    """A case now lies with your agency. Order by `version`; the same id again is the same message."""

    case_id: UUID
    version: Version
    agency: AgencyCode
    state: CaseState
    transition: AnyTransition
    occurred_at: BusinessTime
    unit: ShortText | None = None
    report: ReportContent


class CaseChanged(Contract):
    """A case of your agency moved on. `command_id` is the id of the command that led to it; `text` the reporter's reply."""

    case_id: UUID
    version: Version
    agency: AgencyCode
    state: CaseState
    transition: AnyTransition
    occurred_at: BusinessTime
    unit: ShortText | None = None
    command_id: UUID | None = None
    text: LongText | None = None


class ActionRefused(Contract):
    """A command of your agency could not be carried out and changed nothing. `detail` says why and what to do.

    `position` names the refused record (`topic/partition/offset`) where it had no readable id.
    """

    agency: AgencyCode
    command_id: UUID | None = None
    case_id: UUID | None = None
    code: ShortText
    detail: MediumText
    position: ShortText
    occurred_at: BusinessTime


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
    title: Title | None = None


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
    evidence: Evidence = ()
