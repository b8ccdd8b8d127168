"""Which event gets a notice, and to whom."""

from collections.abc import Sequence

from notifier.domain.notices import Notice, NoticeKind, Value
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.cases import (
    CaseAnswered,
    CaseArchived,
    CaseClosed,
    CaseForwarded,
    CaseResumed,
    CaseReturned,
    InputRefused,
    ReportSubmitted,
)
from tuntas_contracts.sla import DeadlineMissed, DeadlineWarning
from tuntas_contracts.vocabulary import Role

# Whoever refuses names the reporter, or itself, as the actor; an officer is answered where he asked
_INPUTS_BY_MAIL = frozenset({Role.REPORTER, Role.CLERK, Role.SYSTEM})


def notice_of(event: CaseEvent) -> Notice | None:
    """The notice to the reporter of an event of the case; None where there is none.

    Answers, notes and reasons in free text are never copied into mail: it is not confidential, the reporter's page is.
    """
    match event:
        case ReportSubmitted():
            return _to_reporter(
                NoticeKind.RECEIPT,
                classification=event.report.classification.value,
                anonymous=event.report.anonymous,
                secret=event.report.secret,
            )
        case CaseForwarded():
            track = event.fast_track
            return _to_reporter(
                NoticeKind.FORWARDED,
                event.agency,
                anonymous=event.report.anonymous,
                bounces=event.bounces,
                arbitrated=event.arbitrated,
                follow_up_limit=track.follow_up_limit if track else None,
                completion_limit=track.completion_limit if track else None,
            )
        case CaseReturned():
            return _to_reporter(NoticeKind.RETURNED, event.agency, arbitration=event.arbitration)
        case CaseArchived():
            return _to_reporter(NoticeKind.ARCHIVED, reason=str(event.reason))
        case CaseAnswered():
            return _to_reporter(NoticeKind.ANSWERED, event.agency, supplement=event.supplement)
        case CaseClosed():
            return _to_reporter(NoticeKind.CLOSED, event.agency, reason=str(event.reason), rating=event.rating)
        case CaseResumed():
            return _to_reporter(NoticeKind.RESUMED, event.agency)
        case InputRefused() if event.actor is None or event.actor.role in _INPUTS_BY_MAIL:
            return _to_reporter(NoticeKind.INPUT_REFUSED, state=event.state.value, code=event.code)
        case _:
            return None


def notices_of_deadline(event: DeadlineWarning | DeadlineMissed) -> Sequence[Notice]:
    """The notices of a deadline to the roles that sla-monitor named; each role once.

    A warning after the deadline, such as an escalation some days later, is of a deadline that is over.
    """
    missed = isinstance(event, DeadlineMissed) or event.occurred_at >= event.due_at
    variables: dict[str, Value] = {
        "clock": str(event.clock),
        "level": str(event.level),
        "due_at": event.due_at.isoformat(),
        "unit": event.unit,
        "service_class": event.service_class.value if event.service_class else None,
    }
    found = []
    for role in dict.fromkeys(event.recipients):
        if role is Role.REPORTER:
            kind = NoticeKind.OVERDUE if missed else NoticeKind.REMINDER
        else:
            kind = NoticeKind.DEADLINE_MISSED if missed else NoticeKind.DEADLINE_WARNING
        found.append(Notice(kind, role, event.agency, variables))
    return found


def _to_reporter(kind: NoticeKind, agency: str | None = None, /, **variables: Value) -> Notice:
    return Notice(kind, Role.REPORTER, agency, variables)
