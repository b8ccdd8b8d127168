"""What the notifier keeps of a case so that later events, which lack the report, find their reader."""

from typing import NamedTuple
from uuid import UUID

from tuntas_contracts.base import CaseEvent
from tuntas_contracts.cases import CaseForwarded, CaseReturned, ReportSubmitted
from tuntas_contracts.lifecycle import ENDED


class CaseFacts(NamedTuple):
    """No personal data: `reporter_ref` is a pseudonym that only intake resolves.

    `agency` has the case now, None at the centre; `ended`: closed or archived.
    """

    case_id: UUID
    version: int
    reporter_ref: UUID
    tracking_id: str
    profile: str
    agency: str | None = None
    ended: bool = False


def facts_after(facts: CaseFacts | None, event: CaseEvent) -> CaseFacts | None:
    """The facts once `event` has been read; None while no event with the report has been read."""
    if isinstance(event, ReportSubmitted | CaseForwarded):
        return CaseFacts(
            case_id=event.case_id,
            version=event.version,
            reporter_ref=event.report.reporter_ref,
            tracking_id=event.report.tracking_id,
            profile=event.report.profile,
            agency=event.agency if isinstance(event, CaseForwarded) else None,
        )
    if facts is None:
        return None
    agency = None if isinstance(event, CaseReturned) else facts.agency
    return facts._replace(version=event.version, agency=agency, ended=event.state in ENDED)
