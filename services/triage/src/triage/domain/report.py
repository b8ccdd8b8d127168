"""The report's text as triage got it: written once, apart from the case that changes."""

from dataclasses import dataclass
from uuid import UUID

from tuntas_contracts.reports import ReportContent


@dataclass(frozen=True, slots=True)
class FiledReport:
    """The masked report of a case, as submitted."""

    case_id: UUID
    content: ReportContent
