"""The messages about its cases that an agency's own system gets."""

from dispatch.domain.case import Case
from tuntas_contracts.agencies import CaseAssigned, CaseChanged
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.cases import CaseForwarded, CaseResumed, InputRefused
from tuntas_contracts.vocabulary import Role, Transition

_NOT_COMMANDED = frozenset({Role.REPORTER, Role.SYSTEM, Role.CLERK})


def assignment(case: Case, event: CaseForwarded) -> CaseAssigned:
    """A case arrived. The report in it is masked and carries no personal data."""
    return CaseAssigned(
        case_id=case.case_id,
        version=event.version,
        agency=event.agency,
        state=event.state,
        transition=event.transition or Transition.T2,
        occurred_at=event.occurred_at,
        unit=case.unit,
        report=event.report,
    )


def change(case: Case, event: CaseEvent) -> CaseChanged | None:
    """The case, now `case`, moved on by `event`; None for a refused input, which changes nothing."""
    if isinstance(event, InputRefused) or event.transition is None:
        return None
    commanded = event.actor is not None and event.actor.role not in _NOT_COMMANDED
    return CaseChanged(
        case_id=case.case_id,
        version=event.version,
        agency=case.agency,
        state=event.state,
        transition=event.transition,
        occurred_at=event.occurred_at,
        unit=case.unit,
        command_id=event.input_id if commanded else None,
        text=event.reply if isinstance(event, CaseResumed) else None,
    )
