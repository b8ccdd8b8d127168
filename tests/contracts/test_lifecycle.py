"""The table of transitions and clocks is whole, and fits what is published."""

import pytest

from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.lifecycle import CLOCKS, TRANSITIONS, ClockRow, TransitionRow, events_of, owners_of, possible, roles_of
from tuntas_contracts.topology import AGENCY, AGENCY_ACTIONS, CASES, message_types
from tuntas_contracts.vocabulary import CaseState, Clock, Role, Service, Transition

WITHOUT_A_TRANSITION = {"InputRefused", "ReportSubmitted"}
each_transition = pytest.mark.parametrize("row", TRANSITIONS.values(), ids=lambda row: row.number)


def test_every_transition_and_every_clock_has_one_row_in_order() -> None:
    assert list(TRANSITIONS) == list(Transition)
    assert list(CLOCKS) == list(Clock)


@each_transition
def test_an_event_of_a_case_tells_of_each_transition_that_is_possible(row: TransitionRow) -> None:
    kind = message_types().get(row.event)
    if not row.planned:
        assert kind is not None
        assert issubclass(kind, CaseEvent)
        producers = {p.producer for p in CASES.publications if kind in p.messages}
        assert row.owners & producers, "who may own the case before publishes the event"


def test_every_event_of_an_owner_belongs_to_a_transition() -> None:
    published = {kind.__name__ for kind in message_types().values() if issubclass(kind, CaseEvent)}
    assert published - WITHOUT_A_TRANSITION == {row.event for row in TRANSITIONS.values() if not row.planned}


@each_transition
def test_the_owner_after_is_the_one_of_the_state_after(row: TransitionRow) -> None:
    if row.target in (CaseState.RECEIVED, CaseState.ARCHIVED):
        assert row.owner is Service.TRIAGE
    elif row.target not in (None, CaseState.AWAITING_DATA):
        assert row.owner is Service.DISPATCH


@each_transition
def test_nobody_asks_for_what_time_does_and_time_for_nothing_else(row: TransitionRow) -> None:
    assert (not row.roles) == (row.asked_by == "WindowElapsed")


def test_a_case_can_leave_every_state() -> None:
    assert set().union(*(row.sources for row in TRANSITIONS.values())) == set(CaseState)
    assert {row.number for row in TRANSITIONS.values() if CaseState.CLOSED in row.sources} == {Transition.T19}
    assert {row.number for row in TRANSITIONS.values() if CaseState.ARCHIVED in row.sources} == {Transition.T20, Transition.T25}


def test_nobody_closes_a_case_but_its_reporter_and_time() -> None:
    closing = [row for row in TRANSITIONS.values() if row.target is CaseState.CLOSED]
    assert [row.roles for row in closing] == [frozenset(), {Role.REPORTER}]


def test_what_an_agencys_system_may_ask_for_are_the_commands_of_its_topic() -> None:
    commands = next(p.messages for p in AGENCY_ACTIONS.publications if p.producer == AGENCY)
    assert [kind.__name__ for kind in commands] == ["AcceptCase", "HandleCase", "ReturnCase", "RecordFollowUp", "AnswerCase"]
    assert all(issubclass(kind, AgencyCommand) for kind in commands)
    with_dispatch = [state for state in CaseState if Service.DISPATCH in owners_of(state)]
    asked = {row.asked_by for state in with_dispatch for row in possible(state, Service.DISPATCH, Role.AGENCY_SYSTEM)}
    assert asked == {kind.__name__ for kind in commands}


def test_each_owner_publishes_the_events_of_its_transitions() -> None:
    assert events_of(Service.TRIAGE) == ("CaseReceived", "CaseForwarded", "CaseArchived")
    assert events_of(Service.DISPATCH) == (
        *("CaseAccepted", "HandlingStarted", "CaseReturned", "FollowUpRecorded", "CaseAnswered", "CaseResumed", "CaseClosed"),
    )
    assert events_of(Service.INTAKE) == events_of(Service.SLA_MONITOR) == events_of(Service.NOTIFIER) == ()


def test_an_administrator_archives_what_is_with_them_alone() -> None:
    archive = TRANSITIONS[Transition.T13]
    assert archive in possible(CaseState.RECEIVED, Service.TRIAGE, Role.NATIONAL_ADMINISTRATOR)
    assert archive not in possible(CaseState.RECEIVED, Service.TRIAGE, Role.AGENCY_ADMINISTRATOR)


@each_transition
def test_roles_of_an_owner_are_those_for_whom_it_is_possible_there(row: TransitionRow) -> None:
    for owner in row.owners:
        for state in row.possible_from:
            assert roles_of(row.number, owner) == tuple(role for role in Role if row in possible(state, owner, role))
    assert all(roles_of(row.number, owner) == () for owner in set(Service) - set(row.owners))


def test_nothing_that_is_planned_is_possible() -> None:
    for row in TRANSITIONS.values():
        assert not (row.planned and row.possible_from)
        assert row.planned_sources <= row.sources


@pytest.mark.parametrize("clock", [row for row in CLOCKS.values() if row.number is not Clock.C5], ids=lambda row: row.number)
def test_every_clock_begins_and_ends_and_runs_on_after_each_pause(clock: ClockRow) -> None:
    assert clock.starts
    assert clock.meets or clock.stops
    assert bool(clock.pauses) == bool(clock.resumes)
    if not clock.planned:
        assert any(not TRANSITIONS[number].planned for number in clock.starts)
