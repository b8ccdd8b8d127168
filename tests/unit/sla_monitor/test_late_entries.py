"""Reports that were received by hand and entered late: one notice of what is past, and the profile of the case from its first event."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_monitor.domain.warnings import Run, WarningState, warnings_of
from tests.unit.sla_monitor.builders import CASE_ID, FAST_TRACK, PLANNER, Event, History, wib
from tests.unit.sla_monitor.fake_monitor import FakeMonitor, NotHandled, watermarks
from tuntas_contracts.sla import DeadlineEvent, DeadlineMissed, DeadlineSet, DeadlineWarning
from tuntas_contracts.vocabulary import Clock, WarningLevel
from tuntas_reference.profile import DEFAULT_PROFILE

MONDAY = wib("2026-07-06 10:00")
DAY = timedelta(days=1)


def announced_by(now: datetime, *events: Event) -> list[DeadlineEvent]:
    """All that is announced until `now` but deadlines that were set."""
    monitor = FakeMonitor()
    for event in events:
        monitor.read(event)
    for watermark in watermarks(now):
        monitor.read(watermark)
    monitor.fire(now)
    return [m.body for m in monitor.announced if isinstance(m.body, DeadlineMissed | DeadlineWarning)]


def names(found: list[DeadlineEvent]) -> list[str]:
    return [f"{type(e).__name__} {e.clock} {e.level}" for e in found if isinstance(e, DeadlineMissed | DeadlineWarning)]


@pytest.mark.parametrize("late_days", [7, 30, 365])
def test_a_report_entered_after_its_verification_was_due_is_announced_as_missed_and_nothing_else(late_days: int) -> None:
    entered = MONDAY + late_days * DAY
    for event in (History().received(MONDAY, entered_at=entered), History().forwarded(MONDAY, entered_at=entered)):
        found = announced_by(entered + timedelta(seconds=1), event)
        assert [type(e) for e in found] == [DeadlineMissed]
        assert (found[0].occurred_at, found[0].due_at) == (entered, wib("2026-07-10 00:00"))


def test_a_report_entered_between_reminder_and_due_is_reminded_of_at_once_and_missed_in_time() -> None:
    entered = wib("2026-07-09 09:00")  # the reminder of the 8th is past, the end of the 9th is not
    event = History().received(MONDAY, entered_at=entered)
    assert names(announced_by(entered + timedelta(seconds=1), event)) == ["DeadlineWarning C1 reminder"]
    reminded, missed = announced_by(wib("2026-07-10 00:01"), event)
    assert (reminded.occurred_at, missed.occurred_at) == (entered, missed.due_at)


def test_a_fast_track_entered_months_late_tells_the_miss_and_who_stands_above_but_no_reminder() -> None:
    entered = MONDAY + 90 * DAY
    found = names(announced_by(entered + DAY, History().forwarded(MONDAY, FAST_TRACK, entered_at=entered)))
    assert sorted(found) == ["DeadlineMissed C3 red", "DeadlineMissed C4 missed", "DeadlineWarning C4 escalated"]


@given(late=st.integers(1, 366 * 24 * 60), clock=st.sampled_from([Clock.C1, Clock.C2]))
def test_what_is_announced_at_once_is_never_more_than_one_notice_of_a_clock(late: int, clock: Clock) -> None:
    entered = MONDAY + timedelta(minutes=late)
    make = History().received if clock is Clock.C1 else History().forwarded
    at_once = [e for e in announced_by(entered + timedelta(seconds=1), make(MONDAY, entered_at=entered)) if e.occurred_at >= entered]
    assert len(at_once) <= 1
    checkpoints = PLANNER.plan(DEFAULT_PROFILE, clock, MONDAY, "Asia/Jakarta", known_at=entered).checkpoints
    assert all(checkpoint.fire_at >= entered for checkpoint in checkpoints)


def test_officers_are_not_shown_a_reminder_that_nobody_got() -> None:
    entered = MONDAY + 7 * DAY
    plan = PLANNER.plan(DEFAULT_PROFILE, Clock.C1, MONDAY, "Asia/Jakarta", known_at=entered)
    stored = (Clock.C1, 1, MONDAY, plan.due_at, None, "running", None, None, None, None, False, DEFAULT_PROFILE, entered)
    shown = warnings_of(PLANNER, Run(*stored), "Asia/Jakarta", [])  # type: ignore[arg-type]
    assert [(w.level, w.fire_at, w.state) for w in shown] == [(WarningLevel.MISSED, entered, WarningState.TOLD)]


def test_the_first_clock_of_a_case_runs_under_the_profile_of_its_report() -> None:
    with pytest.raises(NotHandled, match="UnknownProfileError"):
        announced_by(MONDAY, History().received(MONDAY, profile="permen-5-2025"))
    monitor = FakeMonitor()
    monitor.read(History().received(MONDAY, profile=DEFAULT_PROFILE))
    assert monitor.case(CASE_ID).profile == DEFAULT_PROFILE


def test_an_event_of_the_first_release_that_names_no_profile_runs_under_the_one_that_there_was() -> None:
    monitor = FakeMonitor()
    old = History().received(MONDAY, profile=None).model_copy(update={"submitted_at": None})
    monitor.read(old)
    [set_] = [m.body for m in monitor.announced if isinstance(m.body, DeadlineSet)]
    assert (set_.clock, set_.due_at) == (Clock.C1, wib("2026-07-10 00:00"))
