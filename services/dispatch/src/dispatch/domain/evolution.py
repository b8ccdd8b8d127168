"""The state after one of dispatch's own events: how decisions take effect, and how a restored database is rebuilt."""

from dispatch.domain.case import Case
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.cases import (
    CaseAccepted,
    CaseAnswered,
    CaseClosed,
    CaseResumed,
    CaseReturned,
    HandlingStarted,
)


def evolve(case: Case, event: CaseEvent) -> Case:
    """The case after `event`, which dispatch itself decided, now or before a restore."""
    after = case._replace(version=event.version, state=event.state, owner=event.owner, last_event_at=event.occurred_at)
    match event:
        case CaseAccepted() | HandlingStarted():
            assessed = event.assessment
            return after._replace(unit=assessed.unit, service_class=assessed.service_class, completion_limit=assessed.completion_limit)
        case CaseReturned():
            return after._replace(bounces=event.bounces)
        case CaseAnswered():
            supplements = case.supplements_on(event.occurred_at) + int(event.supplement)
            return after._replace(answers=case.answers + 1, answered_at=event.occurred_at, supplements=supplements)
        case CaseResumed():
            return after._replace(closed_reason=None, closed_at=None)
        case CaseClosed():
            return after._replace(closed_reason=event.reason, closed_at=event.occurred_at)
        case _:
            return after
