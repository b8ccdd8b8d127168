"""What each transition does to the clocks is what the table of the contracts says."""

from collections.abc import Callable

import pytest

from sla_monitor.domain.case_clocks import CaseClocks, Ended, RunOutcome, Started, Step
from sla_monitor.domain.clocks import ClockMachine
from tests.unit.sla_monitor.builders import FAST_TRACK, PLANNER, Event, History, wib
from tuntas_contracts.lifecycle import CLOCKS, TRANSITIONS
from tuntas_contracts.vocabulary import Clock, Transition
from tuntas_reference.profile import load_profile

AT = wib("2026-03-10 10:00")
Lead = Callable[[History], list[Event]]


def _taken(history: History) -> list[Event]:
    return [history.forwarded(AT), history.accepted(AT)]


def _answered(history: History) -> list[Event]:
    return [*_taken(history), history.answered(AT)]


LEADING: dict[Transition, Lead] = {
    Transition.T1: lambda h: [h.received(AT)],
    Transition.T2: lambda h: [h.forwarded(AT)],
    Transition.T3: lambda h: [h.received(AT), h.forwarded(AT)],
    Transition.T4: _taken,
    Transition.T5: lambda h: [h.forwarded(AT), h.handling_started(AT)],
    Transition.T10: lambda h: [h.forwarded(AT), h.returned(AT)],
    Transition.T13: lambda h: [h.received(AT), h.archived(AT)],
    Transition.T14: lambda h: [*_taken(h), h.followed_up(AT)],
    Transition.T15: _answered,
    Transition.T16: lambda h: [*_answered(h), h.resumed(AT)],
    Transition.T17: lambda h: [*_answered(h), h.closed(AT)],
    Transition.T18: lambda h: [*_answered(h), h.closed(AT, satisfied=True)],
    Transition.T21: lambda h: [h.forwarded(AT, FAST_TRACK)],
}
"""The shortest history that ends with each transition of this release."""
IN_OTHER_WAYS: list[tuple[Transition, Lead]] = [
    (Transition.T3, lambda h: [h.forwarded(AT), h.returned(AT), h.forwarded(AT), h.returned(AT), h.forwarded(AT)]),
    (Transition.T10, lambda h: [h.forwarded(AT), h.returned(AT), h.forwarded(AT), h.returned(AT)]),
    (Transition.T13, lambda h: [h.forwarded(AT), h.returned(AT), h.archived(AT)]),
    (Transition.T15, lambda h: [*_answered(h), h.answered(AT, supplement=True)]),
    (Transition.T15, lambda h: [*_answered(h), h.resumed(AT), h.answered(AT)]),
    (Transition.T15, lambda h: [h.forwarded(AT), h.handling_started(AT), h.answered(AT)]),
]


def _last(lead: Lead) -> tuple[CaseClocks | None, tuple[Step, ...]]:
    """The case before the last event of a history, and the steps of that event."""
    clock_machine, state = ClockMachine(PLANNER), None
    *before, last = lead(History())
    for event in before:
        after, _ = clock_machine.on_event(state, event, 0)
        state = after or state
    return state, clock_machine.on_event(state, last, 0)[1]


def test_every_transition_of_this_release_is_tried() -> None:
    assert set(LEADING) == {row.number for row in TRANSITIONS.values() if not row.planned}


@pytest.mark.parametrize(("number", "lead"), [*LEADING.items(), *IN_OTHER_WAYS])
def test_it_starts_and_ends_the_clocks_of_the_table(number: Transition, lead: Lead) -> None:
    before, steps = _last(lead)
    running = {run.clock for run in before.running} if before else set()
    rows = [row for row in CLOCKS.values() if not row.planned and load_profile().has_clock(row.number)]
    started = {step.run.clock for step in steps if isinstance(step, Started)}
    ended = {step.clock: step.outcome for step in steps if isinstance(step, Ended)}
    starts = {row.number for row in rows if number in row.starts}
    if number is Transition.T10:  # arbitration takes the place of verification at the second bounce
        assert started in ({Clock.C1}, {Clock.C10})
    else:
        assert started == starts
    met = {row.number for row in rows if number in row.meets} & (running | started)
    stopped = {row.number for row in rows if number in row.stops} & running - met
    assert {clock for clock, outcome in ended.items() if outcome is not RunOutcome.STOPPED} == met
    assert {clock for clock, outcome in ended.items() if outcome is RunOutcome.STOPPED} == stopped
