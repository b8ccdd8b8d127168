"""What a reporter or time does to a case with dispatch: T16, T17, T18, or a refusal with a reason."""

from dispatch.domain.case import Case
from tuntas_contracts.base import Actor, CaseEvent, InputEvent
from tuntas_contracts.cases import CaseClosed, CaseResumed, InputRefused, ReporterConfirmed, ReporterReplied, WindowElapsed
from tuntas_contracts.lifecycle import TRANSITIONS, TransitionRow
from tuntas_contracts.refusal import RefusalCode
from tuntas_contracts.vocabulary import CaseState, Clock, CloseReason, Role, Service, Transition

REPORTER = Actor(role=Role.REPORTER, subject="reporter")
TIME = Actor(role=Role.SYSTEM, subject="clock C6")

# read by the reporter: Indonesian first
_REFUSALS = {
    RefusalCode.NOT_ANSWERED: "Laporan belum dijawab instansi; tunggu jawabannya. / Not answered yet; wait for the answer.",
    RefusalCode.BEING_ANSWERED_AGAIN: "Instansi sedang menindaklanjuti tanggapan Anda. / The agency is at work on your reply.",
    RefusalCode.ALREADY_CONFIRMED: "Laporan sudah selesai atas konfirmasi Anda. / The case was closed by your confirmation.",
    RefusalCode.NOT_IN_STATE: "Laporan tidak menunggu hal itu dari Anda. / The report does not wait for that from you.",
    RefusalCode.WINDOW_OVER: "Masa tanggapan sudah berakhir dan laporan ditutup. / The time to reply is over and the case is closed.",
}


def react(case: Case, event: InputEvent) -> CaseEvent | None:
    """The event that an input leads to; None for a window that no longer holds."""
    match event:
        case ReporterReplied():
            return _reply(case, event)
        case ReporterConfirmed():
            return _confirm(case, event)
        case WindowElapsed():
            return _elapse(case, event)
    return _refuse(case, event)  # an input that triage alone acts upon


def _reply(case: Case, event: ReporterReplied) -> CaseEvent:
    # a reply accepted before the window's end counts even if it is read behind the automatic close
    in_time = case.closed_reason is CloseReason.NO_REPLY and case.closed_at is not None and event.occurred_at < case.closed_at
    if case.state is CaseState.RESPONDED or in_time:
        return CaseResumed(**_base(case, event, TRANSITIONS[Transition.T16], REPORTER), agency=case.agency, reply=event.text)
    return _refuse(case, event)


def _confirm(case: Case, event: ReporterConfirmed) -> CaseEvent:
    if case.state is not CaseState.RESPONDED:
        return _refuse(case, event)
    return CaseClosed(
        **_base(case, event, TRANSITIONS[Transition.T18], REPORTER),
        agency=case.agency,
        reason=CloseReason.SATISFIED,
        rating=event.rating,
        assisted=event.assisted,
    )


def _elapse(case: Case, event: WindowElapsed) -> CaseClosed | None:
    if event.clock is not Clock.C6 or case.state is not CaseState.RESPONDED or event.deadline_version != case.answers:
        return None
    if case.answered_at is None or event.due_at <= case.answered_at:
        return None  # it ended before this answer was given, so it can't be this answer's window
    # closed at the end of the window, whenever that was noticed: replies are judged by this time
    base = _base(case, event, TRANSITIONS[Transition.T17], TIME) | {"occurred_at": case.not_before_last(event.due_at)}
    return CaseClosed(**base, agency=case.agency, reason=CloseReason.NO_REPLY)


def _refuse(case: Case, event: InputEvent) -> InputRefused:
    if not isinstance(event, ReporterReplied | ReporterConfirmed):
        code = RefusalCode.NOT_IN_STATE
    elif case.state is CaseState.CLOSED:
        code = RefusalCode.ALREADY_CONFIRMED if case.closed_reason is CloseReason.SATISFIED else RefusalCode.WINDOW_OVER
    else:
        code = RefusalCode.BEING_ANSWERED_AGAIN if case.answers else RefusalCode.NOT_ANSWERED
    return InputRefused(**_base(case, event, None, REPORTER), code=code, detail=_REFUSALS[code])


def _base(case: Case, event: InputEvent, row: TransitionRow | None, actor: Actor) -> "dict[str, object]":
    return {
        "case_id": case.case_id,
        "version": case.version + 1,
        "occurred_at": case.not_before_last(event.occurred_at),
        **(row.effect if row else {"state": case.state, "owner": Service.DISPATCH}),
        "actor": actor,
        "input_id": event.input_id,
    }
