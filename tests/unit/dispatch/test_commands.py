"""What an agency's commands lead to, and which of them are refused, state by state."""

from datetime import timedelta

import pytest

from dispatch.domain.case import Case
from dispatch.domain.commands import decide
from dispatch.domain.evolution import evolve
from tests.support.names import NAMES
from tests.unit.dispatch.builders import BOGOR, NOON, UNITS, a_case, a_report, an_act
from tuntas_contracts.agencies import AcceptCase, AgencyCommand, AnswerCase, HandleCase, RecordFollowUp, ReturnCase
from tuntas_contracts.cases import CaseAnswered, CaseReturned
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.vocabulary import CaseState, Classification, Service, ServiceClass, Transition

S = CaseState
ID = a_case().case_id
ACCEPT = AcceptCase(case_id=ID, unit="layanan")
HANDLE = HandleCase(case_id=ID, unit="layanan")
RETURN = ReturnCase(case_id=ID, reason="Jalan nasional, bukan wewenang kabupaten")
FOLLOW_UP = RecordFollowUp(case_id=ID, note="Petugas ke lokasi")
ANSWER = AnswerCase(case_id=ID, answer="Jalan sudah diperbaiki", evidence=("foto-1",))

# state → what each command makes of it: accept, handle, return, follow up, answer; None is refused
GOLDEN: dict[CaseState, tuple[CaseState | None, ...]] = {
    S.RECEIVED: (None, None, None, None, None),
    S.AT_AGENCY: (S.DISPATCHED, S.IN_PROGRESS, S.RECEIVED, None, None),
    S.AWAITING_DATA: (None, None, None, None, None),
    S.DISPATCHED: (None, None, None, S.IN_PROGRESS, S.RESPONDED),
    S.IN_PROGRESS: (None, None, None, None, S.RESPONDED),
    S.RESPONDED: (None, None, None, None, S.RESPONDED),
    S.CLOSED: (None, None, None, None, None),
    S.ARCHIVED: (None, None, None, None, None),
}
CELLS = [
    (state, command, target)
    for state, targets in GOLDEN.items()
    for command, target in zip((ACCEPT, HANDLE, RETURN, FOLLOW_UP, ANSWER), targets, strict=True)
]


def in_state(state: CaseState) -> Case:
    return a_case()._replace(state=state)


@pytest.mark.parametrize(("state", "command", "target"), CELLS, ids=lambda v: getattr(v, "value", type(v).__name__))
def test_only_the_transitions_of_the_table_are_made(state: CaseState, command: AgencyCommand, target: CaseState | None) -> None:
    case = in_state(state)
    if target is None:
        with pytest.raises(Refusal) as refused:
            decide(case, command, an_act(), UNITS[BOGOR], NAMES)
        assert refused.value.code == "not_in_state"
        assert state.value in refused.value.detail
        return
    event = decide(case, command, an_act(), UNITS[BOGOR], NAMES)
    after = evolve(case, event)
    assert (event.state, after.state, after.version) == (target, target, case.version + 1)


def test_a_refusal_says_what_is_possible() -> None:
    with pytest.raises(Refusal, match=r"the case is dispatched\. Possible now: follow up, answer"):
        decide(in_state(S.DISPATCHED), ACCEPT, an_act(), UNITS[BOGOR], NAMES)


def test_a_unit_that_the_agency_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(Refusal, match=r"no unit of the code that the command gives; its units are: dinas-pu, layanan") as refused:
        decide(a_case(), ACCEPT.model_copy(update={"unit": "dinas-x"}), an_act(), UNITS[BOGOR], NAMES)
    assert refused.value.code == "unknown_unit"


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        decide(a_case(), ACCEPT.model_copy(update={"category": "helth"}), an_act(), UNITS[BOGOR], NAMES)
    assert refused.value.code == "unknown_category"


def test_text_that_no_database_stores_is_refused() -> None:
    with pytest.raises(Refusal, match="answer contains a NUL") as refused:
        decide(in_state(S.DISPATCHED), ANSWER.model_copy(update={"answer": "a\x00b"}), an_act(), UNITS[BOGOR], NAMES)
    assert refused.value.code == "unreadable_text"


@pytest.mark.parametrize(("bounces", "arbitration"), [(0, False), (1, True)])
def test_the_second_bounce_goes_to_arbitration(bounces: int, arbitration: bool) -> None:
    case = a_case(bounces=bounces)
    event = decide(case, RETURN, an_act(), UNITS[BOGOR], NAMES)
    assert isinstance(event, CaseReturned)
    assert (event.bounces, event.arbitration, event.owner) == (bounces + 1, arbitration, Service.TRIAGE)
    assert evolve(case, event).owner is Service.TRIAGE


def test_a_case_assigned_by_arbitration_cannot_be_returned_but_accepted() -> None:
    case = a_case(bounces=2, arbitrated=True)
    with pytest.raises(Refusal) as refused:
        decide(case, RETURN, an_act(), UNITS[BOGOR], NAMES)
    assert refused.value.code == "binding_arbitration"
    assert decide(case, ACCEPT, an_act(), UNITS[BOGOR], NAMES).state is S.DISPATCHED


def test_a_case_that_triage_owns_is_refused_with_the_owners_name() -> None:
    returned = evolve(a_case(), decide(a_case(), RETURN, an_act(), UNITS[BOGOR], NAMES))
    with pytest.raises(Refusal, match="the case is with triage") as refused:
        decide(returned, ACCEPT, an_act(), UNITS[BOGOR], NAMES)
    assert refused.value.code == "not_owner"


def test_an_answer_to_an_answered_case_is_a_supplement_and_starts_the_window_anew() -> None:
    case = evolve(in_state(S.DISPATCHED), decide(in_state(S.DISPATCHED), ANSWER, an_act(), UNITS[BOGOR], NAMES))
    event = decide(case, ANSWER, an_act(120), UNITS[BOGOR], NAMES)
    assert isinstance(event, CaseAnswered)
    assert event.supplement
    assert evolve(case, event).answers == 2


def answered_by(case: Case, *minutes: int) -> Case:
    for minute in minutes:
        case = evolve(case, decide(case, ANSWER, an_act(minute), UNITS[BOGOR], NAMES))
    return case


def test_a_case_takes_three_supplements_a_day_and_says_when_the_next_one_is_possible() -> None:
    full = answered_by(in_state(S.DISPATCHED), 60, 120, 180, 240)
    assert full.answers == 4
    with pytest.raises(Refusal, match=r"3 times on 2025-03-03.* from 2025-03-04T00:00\+07:00 on") as refused:
        decide(full, ANSWER, an_act(300), UNITS[BOGOR], NAMES)
    assert refused.value.code == "supplement_quota"
    before_midnight, midnight = 12 * 60 - 1, 12 * 60  # NOON is noon in Jakarta
    with pytest.raises(Refusal):
        decide(full, ANSWER, an_act(before_midnight), UNITS[BOGOR], NAMES)
    tomorrow = answered_by(full, midnight, midnight + 1, midnight + 2)
    with pytest.raises(Refusal, match="2025-03-05"):
        decide(tomorrow, ANSWER, an_act(midnight + 3), UNITS[BOGOR], NAMES)


def test_the_day_of_supplements_is_the_agencys() -> None:
    """23:30 in Jayapura is 21:30 in Jakarta."""
    eastern = in_state(S.DISPATCHED)._replace(time_zone="Asia/Jayapura")
    full = answered_by(eastern, 60, 61, 62, 63)
    with pytest.raises(Refusal, match=r"2025-03-04T00:00\+09:00"):
        decide(full, ANSWER, an_act(9 * 60 + 59), UNITS[BOGOR], NAMES)
    assert decide(full, ANSWER, an_act(10 * 60), UNITS[BOGOR], NAMES).state is S.RESPONDED


def test_a_new_answer_to_a_reply_is_no_supplement_but_the_days_supplements_stay_used() -> None:
    full = answered_by(in_state(S.DISPATCHED), 60, 120, 180, 240)._replace(state=S.IN_PROGRESS)
    answered = decide(full, ANSWER, an_act(300), UNITS[BOGOR], NAMES)
    assert isinstance(answered, CaseAnswered)
    assert not answered.supplement
    with pytest.raises(Refusal) as refused:
        decide(evolve(full, answered), ANSWER, an_act(360), UNITS[BOGOR], NAMES)
    assert refused.value.code == "supplement_quota"


def test_an_agencys_clock_that_goes_back_gains_no_supplements() -> None:
    """Business time decides, and a case's history never runs backwards."""
    full = answered_by(in_state(S.DISPATCHED), 12 * 60 + 1, 12 * 60 + 2, 12 * 60 + 3, 12 * 60 + 4)
    with pytest.raises(Refusal, match="2025-03-04"):
        decide(full, ANSWER, an_act(60), UNITS[BOGOR], NAMES)


def test_a_zone_that_nobody_knows_counts_as_the_national_one() -> None:
    full = answered_by(in_state(S.DISPATCHED)._replace(time_zone="Asia/Atlantis"), 60, 120, 180, 240)
    with pytest.raises(Refusal, match=r"\+07:00"):
        decide(full, ANSWER, an_act(300), UNITS[BOGOR], NAMES)


def test_history_never_runs_backwards() -> None:
    case = a_case()._replace(last_event_at=NOON + timedelta(hours=5))
    assert decide(case, ACCEPT, an_act(minutes=-600), UNITS[BOGOR], NAMES).occurred_at == NOON + timedelta(hours=5)


def test_the_event_names_who_and_by_which_command() -> None:
    act = an_act()
    event = decide(a_case(), HANDLE, act, UNITS[BOGOR], NAMES)
    assert (event.actor, event.input_id, event.transition) == (act.actor, act.input_id, Transition.T5)


def test_an_information_request_by_fast_track_keeps_what_the_rule_decided() -> None:
    case = a_case(by=Transition.T21, report=a_report(Classification.INFORMATION))
    assert (case.state, case.unit, case.service_class, case.completion_limit) == (S.DISPATCHED, "layanan", ServiceClass.ORDINARY, 3)
