"""What reporters and time do to a case with dispatch."""

from datetime import timedelta
from uuid import uuid4

import pytest

from dispatch.domain.case import Case
from dispatch.domain.evolution import evolve
from dispatch.domain.inputs import react
from tests.unit.dispatch.builders import NOON, a_case
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import CaseClosed, CaseResumed, InputRefused, ReporterConfirmed, ReporterReplied, WindowElapsed
from tuntas_contracts.vocabulary import CaseState, Clock, Transition

DUE = NOON + timedelta(days=14)


def answered(answers: int = 1) -> Case:
    return a_case()._replace(version=4, state=CaseState.RESPONDED, answers=answers, answered_at=NOON, unit="layanan")


def reply(case: Case, days: float = 1) -> ReporterReplied:
    return ReporterReplied(case_id=case.case_id, input_id=uuid4(), occurred_at=NOON + timedelta(days=days), text="Belum beres")


def confirmation(case: Case) -> ReporterConfirmed:
    return ReporterConfirmed(case_id=case.case_id, input_id=uuid4(), occurred_at=NOON + timedelta(days=1), rating=4)


def window(case: Case, version: int = 1, clock: Clock = Clock.C6, late_s: int = 3) -> WindowElapsed:
    return WindowElapsed(
        case_id=case.case_id,
        input_id=uuid4(),
        occurred_at=DUE + timedelta(seconds=late_s),
        clock=clock,
        deadline_version=version,
        due_at=DUE,
    )


def closed_by_time() -> Case:
    case = answered()
    event = react(case, window(case))
    assert isinstance(event, CaseClosed)
    return evolve(case, event)


def test_a_reply_resumes_an_answered_case_with_its_text() -> None:
    case = answered()
    event = react(case, reply(case))
    assert isinstance(event, CaseResumed)
    assert (event.transition, event.state, event.reply) == (Transition.T16, CaseState.IN_PROGRESS, "Belum beres")


def test_an_input_that_dispatch_never_acts_upon_is_refused_and_not_a_dead_letter() -> None:
    case = answered()
    event = react(case, InputEvent(case_id=case.case_id, input_id=uuid4(), occurred_at=NOON + timedelta(days=1)))
    assert isinstance(event, InputRefused)
    assert (event.code, event.state) == ("not_in_state", CaseState.RESPONDED)


def test_a_confirmation_closes_with_its_rating() -> None:
    case = answered()
    event = react(case, confirmation(case))
    assert isinstance(event, CaseClosed)
    assert (event.transition, event.reason, event.rating) == (Transition.T18, "satisfied", 4)


def test_a_window_closes_at_its_end_however_late_that_is_read() -> None:
    case = answered()
    event = react(case, window(case, late_s=86_400))
    assert isinstance(event, CaseClosed)
    assert (event.transition, event.reason, event.occurred_at) == (Transition.T17, "no_reply", DUE)


@pytest.mark.parametrize("stale", [1, 3])
def test_a_window_of_another_answer_changes_nothing(stale: int) -> None:
    case = answered(answers=2)
    assert react(case, window(case, version=stale)) is None
    assert react(case, window(case, version=2)) is not None


def test_a_window_of_another_clock_changes_nothing() -> None:
    case = answered()
    assert react(case, window(case, clock=Clock.C3)) is None


def test_a_window_after_a_reply_changes_nothing() -> None:
    case = answered()
    resumed = react(case, reply(case))
    assert resumed is not None
    assert react(evolve(case, resumed), window(case)) is None


def test_a_reply_in_time_counts_though_it_is_read_behind_the_close() -> None:
    case = closed_by_time()
    event = react(case, reply(case, days=13.9))
    assert isinstance(event, CaseResumed)
    after = evolve(case, event)
    assert (after.state, after.closed_reason, after.closed_at) == (CaseState.IN_PROGRESS, None, None)
    assert event.occurred_at == DUE


def test_a_reply_after_the_window_is_refused() -> None:
    case = closed_by_time()
    event = react(case, reply(case, days=14.1))
    assert isinstance(event, InputRefused)
    assert (event.code, event.state, event.version) == ("window_over", CaseState.CLOSED, case.version + 1)


@pytest.mark.parametrize(
    ("state", "answers", "code"),
    [
        (CaseState.AT_AGENCY, 0, "not_answered"),
        (CaseState.DISPATCHED, 0, "not_answered"),
        (CaseState.IN_PROGRESS, 0, "not_answered"),
        (CaseState.IN_PROGRESS, 1, "being_answered_again"),
    ],
)
def test_inputs_that_come_too_early_are_refused(state: CaseState, answers: int, code: str) -> None:
    case = answered(answers)._replace(state=state)
    for event in (reply(case), confirmation(case)):
        refused = react(case, event)
        assert isinstance(refused, InputRefused)
        assert (refused.code, refused.state, refused.input_id, refused.transition) == (code, state, event.input_id, None)


def test_a_confirmed_case_stays_closed() -> None:
    case = answered()
    confirmed = react(case, confirmation(case))
    assert confirmed is not None
    refused = react(evolve(case, confirmed), reply(case))
    assert isinstance(refused, InputRefused)
    assert refused.code == "already_confirmed"
