"""Hand-overs, inputs that race them, and a database that was put back to a backup."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.unit.triage.builders import (
    CASE_ID,
    LATER,
    NOON,
    OFFICER,
    an_id,
    applied,
    confirmed,
    elapsed,
    handed_over,
    handlers,
    incoming,
    published,
    replied,
    returned,
    submitted,
    waiting,
)
from triage.application.handlers import MisplacedEvent
from triage.domain.verification import Archive
from tuntas_chassis.messaging.messages import Outcome
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import InputRefused
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Clock, Service

INPUTS: list[Callable[[], InputEvent]] = [replied, confirmed]


def test_a_returned_case_is_back_in_the_queue() -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    case = applied(made, forwarded, returned(3), case=case)

    assert (case.state, case.owner, case.topic_owner, case.version) == (CaseState.RECEIVED, Service.TRIAGE, Service.TRIAGE, 3)
    assert (case.bounces, case.arbitration, case.agency) == (1, False, "kota-bandung")
    assert (case.waiting_reason, case.waiting_since) == ("returned", LATER)
    assert case.return_reason == "Jalan nasional, bukan wewenang kota"


def test_the_second_bounce_is_an_arbitration_that_overtakes_verifications_with_a_later_deadline() -> None:
    made = handlers()
    arbitration = applied(made, returned(5, 2, at=NOON), case=handed_over(made)[0])
    assert arbitration.arbitration
    # Wednesday noon + C10 of 1 working day ends with Thursday; so does a C1 of 3 that began on Monday
    assert arbitration.queued_as == NOON - timedelta(days=2)


def test_reading_the_hand_over_back_moves_who_takes_inputs() -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    after = applied(made, forwarded, case=case)
    assert after.topic_owner is Service.DISPATCH
    assert (after.version, after.owner, after.state) == (case.version, case.owner, case.state)


@pytest.mark.parametrize("make", INPUTS)
def test_an_input_while_the_case_waits_is_refused_with_a_version(make: Callable[[], InputEvent]) -> None:
    made = handlers()
    body = make()
    outcome = made.apply(waiting(made), incoming(body))

    [event] = published(outcome.outgoing)
    assert isinstance(event, InputRefused)
    assert (event.version, event.state, event.owner) == (3, CaseState.RECEIVED, Service.TRIAGE)
    assert event.input_id == body.input_id
    assert event.occurred_at == body.occurred_at
    assert outcome.handled == (body.input_id,)
    assert outcome.state is not None
    assert outcome.state.version == 3


def test_a_reply_to_an_archived_case_says_so() -> None:
    made = handlers()
    case = made.archive(waiting(made), Archive(ArchiveReason.SPAM), OFFICER, LATER).state
    [event] = published(made.apply(case, incoming(replied())).outgoing)
    assert isinstance(event, InputRefused)
    assert (event.code, event.state) == ("case_archived", CaseState.ARCHIVED)


@pytest.mark.parametrize("make", INPUTS)
def test_an_input_that_races_the_hand_over_is_repeated_behind_it(make: Callable[[], InputEvent]) -> None:
    made = handlers()
    case, _ = handed_over(made)
    body = make()
    outcome = made.apply(case, incoming(body))

    assert published(outcome.outgoing) == [body]
    assert outcome.outgoing[0].key == str(CASE_ID)
    assert outcome.outgoing[0].id is None, "a new event id, or every reader would drop it"
    assert outcome.state is None
    assert outcome.handled == (), "the case may come back before the repeat is read"


@pytest.mark.parametrize("make", INPUTS)
def test_an_input_behind_the_hand_over_is_not_ours(make: Callable[[], InputEvent]) -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    outcome = made.apply(applied(made, forwarded, case=case), incoming(make()))
    assert (outcome.state, list(outcome.outgoing)) == (None, [])


def test_a_repeated_input_that_finds_the_case_back_here_is_answered() -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    [repeat] = published(made.apply(case, incoming(replied())).outgoing)
    back = applied(made, forwarded, returned(3), case=case)
    assert isinstance(repeat, InputEvent)

    [event] = published(made.apply(back, incoming(repeat, source="triage", message_id=an_id("repeat"))).outgoing)

    assert isinstance(event, InputRefused)
    assert (event.version, event.code) == (4, "not_answered")


@pytest.mark.parametrize("make", INPUTS)
def test_an_input_from_before_the_start_is_held_until_all_is_read(make: Callable[[], InputEvent]) -> None:
    made = handlers()
    case = waiting(made)
    outcome = made.apply(case, incoming(make(), catching_up=True))
    assert outcome.hold
    assert (outcome.state, list(outcome.outgoing), list(outcome.handled)) == (None, [], [])

    [refused] = published(made.apply(case, incoming(make(), held=True)).outgoing)
    assert isinstance(refused, InputRefused)


def test_a_held_input_is_repeated_where_the_case_was_handed_over_meanwhile() -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    for now in (case, applied(made, forwarded, case=case)):
        assert published(made.apply(now, incoming(replied(), held=True)).outgoing) == [replied()]


@pytest.mark.parametrize("clock", list(Clock))
@pytest.mark.parametrize("catching_up", [False, True])
def test_a_window_that_elapses_while_triage_has_the_case_is_ignored(clock: Clock, catching_up: bool) -> None:
    made = handlers()
    handed, _ = handed_over(made)
    archived = made.archive(waiting(made), Archive(ArchiveReason.SPAM), OFFICER, LATER).state
    for case in (waiting(made), handed, archived):
        window = elapsed().model_copy(update={"clock": clock})
        outcome = made.apply(case, incoming(window, catching_up=catching_up))
        assert outcome == Outcome(None), "no reporter is notified that a reply of his could not be acted upon"


def test_what_dispatch_answered_is_known_as_answered() -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    answered = InputRefused(
        case_id=CASE_ID,
        version=3,
        occurred_at=LATER,
        state=CaseState.AT_AGENCY,
        owner=Service.DISPATCH,
        input_id=an_id("i"),
        code="x",
        detail="x",
    )
    outcome = made.apply(applied(made, forwarded, case=case), incoming(answered, source="dispatch", catching_up=True))
    assert outcome == Outcome(None, handled=(an_id("i"),))


def test_an_event_read_twice_changes_nothing() -> None:
    made = handlers()
    case, forwarded = handed_over(made)
    back = applied(made, forwarded, returned(3), case=case)
    for event in (submitted(addressed_agency="kota-bandung"), forwarded, returned(3)):
        outcome = made.apply(back, incoming(event))
        assert (outcome.state, list(outcome.outgoing), list(outcome.rows)) == (None, [], [])


def test_events_of_a_case_that_nobody_published_change_nothing() -> None:
    made = handlers()
    for event in (returned(3), replied(), elapsed()):
        outcome = made.apply(None, incoming(event))
        assert (outcome.state, list(outcome.outgoing)) == (None, [])


def test_a_hand_over_of_an_unknown_case_brings_the_case_with_it() -> None:
    made = handlers()
    _, forwarded = handed_over(made)
    outcome = made.apply(None, incoming(forwarded, source="triage", replayed=True))
    assert outcome.state is not None
    assert (outcome.state.owner, outcome.state.topic_owner, outcome.state.version) == (Service.DISPATCH, Service.DISPATCH, 2)
    assert len(outcome.rows) == 1
    assert applied(made, returned(3), case=outcome.state).state is CaseState.RECEIVED


def test_an_event_under_another_key_is_not_applied() -> None:
    with pytest.raises(MisplacedEvent, match=str(CASE_ID)):
        handlers().apply(None, incoming(submitted(), key=str(an_id("other"))))
