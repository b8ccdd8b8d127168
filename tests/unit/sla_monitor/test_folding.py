"""What a batch writes: no more than it amounts to, and nothing to the wrong run of a clock."""

from datetime import timedelta
from uuid import UUID

from sla_monitor.adapters.folding import Folded, fold
from sla_monitor.domain.case_clocks import CaseClocks, Step
from sla_monitor.domain.clocks import ClockMachine
from tests.unit.sla_monitor.builders import CASE_ID, PLANNER, Event, History, wib
from tuntas_contracts.vocabulary import Clock

MONDAY = wib("2026-07-06 10:00")
DAY = timedelta(days=1)
WINDOW = (CASE_ID, Clock.C6)


def steps_of(state: CaseClocks | None, *events: Event) -> tuple[CaseClocks | None, list[Step]]:
    found: list[Step] = []
    for event in events:
        changed, steps = ClockMachine(PLANNER).on_event(state, event, 7)
        state = changed or state
        found += steps
    return state, found


def batch(before: list[Event], events: list[Event]) -> Folded:
    """What the second batch writes after the first."""
    state, _ = steps_of(None, *before)
    return fold(steps_of(state, *events)[1])


def open_checkpoints(folded: Folded) -> list[tuple[str, int, bool]]:
    return [(c.level.value, key[2], held) for key, run in folded.new.items() for c, held in run.checkpoints]


def test_a_clock_that_starts_and_is_met_in_one_batch_arms_nothing_and_updates_nothing() -> None:
    h = History()
    folded = batch([], [h.forwarded(MONDAY), h.accepted(MONDAY + DAY)])
    c2 = folded.new[CASE_ID, Clock.C2, 1]
    assert c2.end is not None
    assert c2.checkpoints == []
    assert folded.ends == []


def test_what_was_due_before_its_late_end_in_the_same_batch_still_fires() -> None:
    h = History()
    folded = batch([], [h.forwarded(MONDAY), h.accepted(MONDAY + 10 * DAY)])
    assert [level for level, _, _ in open_checkpoints(folded) if level in ("reminder", "missed")][:2] == ["reminder", "missed"]
    assert len(folded.new[CASE_ID, Clock.C2, 1].checkpoints) == 2


def test_a_hold_on_the_old_window_does_not_reach_the_one_that_a_supplement_starts() -> None:
    h = History()
    before: list[Event] = [h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY)]
    folded = batch(before, [h.replied(MONDAY + DAY), h.answered(MONDAY + 2 * DAY, supplement=True)])
    assert list(folded.holds) == [WINDOW]
    assert [(end.clock, end.deadline_version) for end in folded.ends] == [(Clock.C6, 1)]
    assert open_checkpoints(folded) == [("reminder", 2, False), ("missed", 2, False)]


def test_a_hold_on_a_window_of_the_same_batch_needs_no_write_of_its_own() -> None:
    h = History()
    folded = batch([h.forwarded(MONDAY), h.accepted(MONDAY)], [h.answered(MONDAY), h.replied(MONDAY + DAY)])
    assert not folded.holds
    assert open_checkpoints(folded) == [("reminder", 1, True), ("missed", 1, True)]


def test_refused_and_replied_again_leaves_the_later_hold() -> None:
    h = History()
    first, second = h.replied(MONDAY + DAY), h.replied(MONDAY + 3 * DAY)
    before: list[Event] = [h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY), first]
    folded = batch(before, [h.refused(MONDAY + 2 * DAY, first.input_id), second])
    assert list(folded.releases) == list(folded.holds) == [WINDOW]
    assert folded.holds[WINDOW].since == MONDAY + 3 * DAY


def test_cases_do_not_mix() -> None:
    other = UUID(int=CASE_ID.int + 1)
    a, b = History(), History(case_id=other)
    _, first = steps_of(None, a.forwarded(MONDAY))
    _, second = steps_of(None, b.forwarded(MONDAY), b.accepted(MONDAY + DAY))
    folded = fold([*first, *second])
    assert len(folded.new[CASE_ID, Clock.C2, 1].checkpoints) == 2
    assert folded.new[other, Clock.C2, 1].checkpoints == []
