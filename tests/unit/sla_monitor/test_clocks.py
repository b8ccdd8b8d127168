"""Which event starts, meets and stops which clock, as those see it who read the SLA topic."""

from datetime import timedelta

import pytest

from sla_monitor.application.handlers import Handlers
from tests.unit.sla_monitor.builders import AGENCY, CASE_ID, FAST_TRACK, Event, History, a_report, an_id, wib
from tests.unit.sla_monitor.fake_monitor import FakeMonitor, NotHandled, incoming, watermarks
from tuntas_contracts.cases import WindowElapsed
from tuntas_contracts.sla import DeadlineMissed, DeadlineSet, DeadlineWarning
from tuntas_contracts.topology import CASES, SLA
from tuntas_contracts.vocabulary import Clock, Role, ServiceClass, WarningLevel
from tuntas_contracts.watermarks import WatermarkAdvanced

MONDAY = wib("2026-07-06 10:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def announced(monitor: FakeMonitor) -> list[str]:
    """ "set C2.1", "warning C2.1 reminder", "missed C2.1", "elapsed C6.1"."""
    found = []
    for message in monitor.announced:
        match message.body:
            case DeadlineSet() as body:
                found.append(f"set {body.clock}.{body.deadline_version}")
            case DeadlineWarning() as body:
                found.append(f"warning {body.clock}.{body.deadline_version} {body.level}")
            case DeadlineMissed() as body:
                found.append(f"missed {body.clock}.{body.deadline_version}")
            case WindowElapsed() as body:
                found.append(f"elapsed {body.clock}.{body.deadline_version}")
    return found


def after(*events: Event | WatermarkAdvanced) -> FakeMonitor:
    monitor = FakeMonitor()
    for event in events:
        monitor.read(event)
    return monitor


def test_a_case_in_the_national_queue_runs_on_c1_until_it_is_forwarded() -> None:
    h = History()
    monitor = after(h.received(MONDAY), h.forwarded(MONDAY + HOUR))
    assert monitor.outcomes_by_name() == {"C1.1": "met", "C2.1": "running"}
    assert announced(monitor) == ["set C1.1", "set C2.1"]


def test_a_fast_track_goes_straight_to_c3_and_c4_with_the_rules_own_limits() -> None:
    monitor = after(History().forwarded(MONDAY, FAST_TRACK))
    assert monitor.outcomes_by_name() == {"C3.1": "running", "C4.1": "running"}
    dues = {message.body.clock: message.body.due_at for message in monitor.announced if isinstance(message.body, DeadlineSet)}
    assert dues == {Clock.C3: wib("2026-07-08 00:00"), Clock.C4: wib("2026-07-10 00:00")}


def test_accepting_meets_c2_and_starts_c3_and_c4() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY + HOUR))
    assert monitor.outcomes_by_name() == {"C2.1": "met", "C3.1": "running", "C4.1": "running"}
    assert {armed.checkpoint.clock for armed in monitor.armed} == {Clock.C3, Clock.C4, Clock.C5}
    [_, _, c4] = [m.body for m in monitor.announced]
    assert isinstance(c4, DeadlineSet)
    assert (c4.agency, c4.unit, c4.service_class) == (AGENCY, "dinas-pu", ServiceClass.ORDINARY)


def test_who_handles_it_himself_has_followed_up_already_and_nobody_is_given_a_deadline_for_it() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.handling_started(MONDAY + HOUR))
    assert monitor.outcomes_by_name() == {"C2.1": "met", "C3.1": "met", "C4.1": "running"}
    assert announced(monitor) == ["set C2.1", "set C4.1"]


def test_a_return_stops_c2_and_the_second_goes_to_arbitration() -> None:
    h = History()
    monitor = after(
        h.received(MONDAY),
        h.forwarded(MONDAY + HOUR),
        h.returned(MONDAY + 2 * HOUR),
        h.forwarded(MONDAY + 3 * HOUR),
        h.returned(MONDAY + 4 * HOUR),
        h.forwarded(MONDAY + 5 * HOUR),
    )
    assert monitor.outcomes_by_name() == {
        "C1.1": "met",
        "C2.1": "stopped",
        "C1.2": "met",
        "C2.2": "stopped",
        "C10.1": "met",
        "C2.3": "running",
    }


def test_a_return_after_the_due_was_a_missed_verification() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.returned(wib("2026-07-10 09:00")))
    assert monitor.outcomes_by_name()["C2.1"] == "missed"


def test_follow_up_meets_c3_and_the_answer_meets_c4() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY + HOUR), h.followed_up(MONDAY + DAY), h.answered(MONDAY + 2 * DAY))
    assert monitor.outcomes_by_name() == {"C2.1": "met", "C3.1": "met", "C4.1": "met", "C6.1": "running"}
    assert {armed.checkpoint.clock for armed in monitor.armed} == {Clock.C6}


def test_an_answer_without_a_follow_up_meets_c3_too() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY + HOUR), h.answered(MONDAY + DAY))
    assert monitor.outcomes_by_name()["C3.1"] == "met"
    case = monitor.case(CASE_ID)
    assert case.responded_at == case.answered_at == MONDAY + DAY


def test_a_late_answer_is_met_late_and_the_miss_is_announced_all_the_same() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.followed_up(MONDAY), h.answered(wib("2026-07-28 00:00:01")))
    assert monitor.outcomes_by_name()["C4.1"] == "met_late"
    for watermark in watermarks(wib("2026-07-28 01:00")):
        monitor.read(watermark)
    monitor.fire(wib("2026-07-28 01:00"))
    assert announced(monitor)[-2:] == ["warning C5.1 checkpoint", "missed C4.1"]


def test_an_act_at_the_last_instant_is_in_time_however_late_it_is_read() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.followed_up(MONDAY))
    monitor.read(h.answered(wib("2026-07-25 00:00")))
    for watermark in watermarks(wib("2026-08-20 00:00")):
        monitor.read(watermark)
    monitor.fire(wib("2026-08-20 00:00"))
    assert "missed C4.1" not in announced(monitor)
    assert monitor.outcomes_by_name()["C4.1"] == "met"


def test_a_supplement_starts_the_reporters_window_anew() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY + DAY), h.answered(MONDAY + 3 * DAY, supplement=True))
    assert monitor.outcomes_by_name()["C6.1"] == "stopped"
    assert monitor.outcomes_by_name()["C6.2"] == "running"
    assert {armed.key[2] for armed in monitor.armed} == {2}


def test_a_reply_starts_the_re_answer_and_the_answer_meets_it() -> None:
    h = History()
    events = [h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY + DAY)]
    reply = h.replied(MONDAY + 2 * DAY)
    events += [h.resumed(MONDAY + 2 * DAY, reply.input_id), h.answered(MONDAY + 3 * DAY)]
    monitor = after(*events[:3], reply, *events[3:])
    assert monitor.outcomes_by_name() == {
        "C2.1": "met",
        "C3.1": "met",
        "C4.1": "met",
        "C6.1": "met",
        "C8.1": "met",
        "C6.2": "running",
    }
    assert not monitor.case(CASE_ID).held_by
    assert not any(armed.held for armed in monitor.armed)


def test_no_reply_elapses_the_window_once_and_the_close_ends_it() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY))
    due = wib("2026-07-21 00:00")
    for watermark in watermarks(due + HOUR):
        monitor.read(watermark)
    fired = monitor.fire(due + HOUR)
    monitor.fire(due + HOUR)
    assert announced(monitor)[-2:] == ["warning C6.1 reminder", "elapsed C6.1"]
    window = fired[-1]
    assert isinstance(window.body, WindowElapsed)
    assert (window.topic, window.key, window.time) == (CASES.name, str(CASE_ID), due)
    monitor.read(h.closed(due + HOUR))
    assert monitor.outcomes_by_name()["C6.1"] == "elapsed"
    assert not monitor.armed


def test_a_reply_in_time_holds_the_window_until_the_owner_has_refused_it() -> None:
    h = History()
    due = wib("2026-07-21 00:00")
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY))
    reply = h.replied(due)
    monitor.read(reply)
    for watermark in watermarks(due + DAY):
        monitor.read(watermark)
    monitor.fire(due + DAY)
    assert "elapsed C6.1" not in announced(monitor)
    monitor.read(h.refused(due + DAY, reply.input_id))
    monitor.fire(due + DAY)
    assert announced(monitor)[-1] == "elapsed C6.1"


def test_of_two_replies_the_second_still_holds_when_the_first_is_refused() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY))
    first, second = h.replied(MONDAY + DAY), h.replied(MONDAY + DAY)
    for event in (first, second, h.refused(MONDAY + DAY, first.input_id)):
        monitor.read(event)
    assert any(armed.held for armed in monitor.armed)
    monitor.read(h.refused(MONDAY + DAY, second.input_id))
    assert not any(armed.held for armed in monitor.armed)


def test_a_reply_that_was_refused_does_not_hold_again_when_it_is_repeated() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY))
    reply = h.replied(MONDAY + DAY)
    for event in (reply, h.refused(MONDAY + DAY, reply.input_id), reply):
        monitor.read(event)
    assert not any(armed.held for armed in monitor.armed)


@pytest.mark.parametrize("at", ["2026-07-21 00:00:01", "2026-07-06 09:59"])
def test_a_reply_outside_of_the_window_holds_nothing(at: str) -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY))
    monitor.read(h.replied(wib(at)))
    assert not any(armed.held for armed in monitor.armed)


def test_archiving_meets_verification_and_stops_all_else() -> None:
    h = History()
    monitor = after(h.received(MONDAY), h.archived(MONDAY + HOUR))
    assert monitor.outcomes_by_name() == {"C1.1": "met"}
    assert not monitor.armed


def test_a_satisfied_reporter_ends_everything() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY), h.closed(MONDAY + DAY, satisfied=True))
    assert monitor.outcomes_by_name()["C6.1"] == "met"
    assert not monitor.armed


def test_an_event_that_is_known_changes_nothing() -> None:
    h = History()
    forwarded = h.forwarded(MONDAY)
    monitor = after(forwarded, forwarded)
    assert announced(monitor) == ["set C2.1"]


def test_a_case_that_is_first_seen_in_its_middle_is_taken_up_from_there() -> None:
    h = History(version=6)
    monitor = after(h.replied(MONDAY), h.answered(MONDAY + HOUR))
    assert monitor.outcomes_by_name() == {"C6.1": "running"}
    assert monitor.case(CASE_ID).version == 7


def test_escalation_and_misses_name_those_whom_the_profile_names() -> None:
    h = History()
    monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY))
    for watermark in watermarks(wib("2026-09-01 00:00")):
        monitor.read(watermark)
    monitor.fire(wib("2026-09-01 00:00"))
    assert announced(monitor)[3:] == [
        "warning C3.1 yellow",
        "missed C3.1",
        "warning C5.1 checkpoint",
        "missed C4.1",
        "warning C4.1 escalated",
    ]
    red, missed, escalated = (monitor.announced[n].body for n in (4, 6, 7))
    assert isinstance(red, DeadlineMissed)
    assert red.level is WarningLevel.RED
    assert Role.RESPONSIBLE_OFFICER in red.recipients
    assert isinstance(missed, DeadlineMissed)
    assert {Role.HEAD, Role.REPORTER, Role.NATIONAL_ADMINISTRATOR} <= set(missed.recipients)
    assert missed.occurred_at == missed.due_at == wib("2026-07-25 00:00")
    assert isinstance(escalated, DeadlineWarning)
    assert Role.SUPERVISOR in escalated.recipients
    assert escalated.occurred_at == wib("2026-07-31 08:00")
    assert {message.topic for message in monitor.announced} == {SLA.name}


def test_nothing_fires_before_every_source_has_a_watermark() -> None:
    monitor = after(History().forwarded(MONDAY))
    late = wib("2026-09-01 00:00")
    for watermark in watermarks(late)[:2]:
        monitor.read(watermark)
    assert monitor.fire(late) == []
    monitor.read(watermarks(MONDAY)[2])
    assert monitor.fire(late) == []
    monitor.read(watermarks(late)[2])
    assert len(monitor.fire(late)) == 2


def test_a_watermark_never_takes_back_an_earlier_one() -> None:
    late = wib("2026-09-01 00:00")
    monitor = after(History().forwarded(MONDAY), *watermarks(late), *watermarks(MONDAY))
    assert len(monitor.fire(late)) == 2


def test_a_watermark_counts_once_what_lies_below_its_end_offset_is_read() -> None:
    h, late = History(), wib("2026-09-01 00:00")
    monitor = after(h.forwarded(MONDAY), *watermarks(late, end_offset=2))
    assert monitor.fire(late) == [], "what was accepted in time is still to be read"
    monitor.read(h.accepted(MONDAY + HOUR))
    assert Clock.C2 not in {message.body.clock for message in monitor.fire(late) if isinstance(message.body, DeadlineMissed)}


def test_the_same_checkpoint_has_the_same_id_and_content_after_a_restored_backup() -> None:
    def run() -> list[tuple[object, ...]]:
        h = History()
        monitor = after(h.forwarded(MONDAY), h.accepted(MONDAY), h.answered(MONDAY), *watermarks(wib("2026-09-01 00:00")))
        monitor.fire(wib("2026-09-01 00:00"))
        return [(message.id, message.time, message.body) for message in monitor.announced]

    first, again = run(), run()
    assert first == again
    assert len({message[0] for message in first}) == len(first)


def test_a_record_under_another_key_than_its_case_is_refused() -> None:
    message = incoming(History().forwarded(MONDAY))
    handlers: Handlers = FakeMonitor().handlers
    with pytest.raises(ValueError, match="key must be the case id"):
        handlers.apply(None, type(message)(message.envelope, str(an_id("other")), message.body, CASES.name, 1, 1, MONDAY))


def test_a_report_under_an_unknown_profile_is_refused_by_name() -> None:
    event = History().forwarded(MONDAY)
    unknown = event.model_copy(update={"report": a_report(MONDAY).model_copy(update={"profile": "permen-5-2025"})})
    with pytest.raises(LookupError, match="permen-5-2025"):
        FakeMonitor().handlers.apply(None, incoming(unknown))
    with pytest.raises(NotHandled, match="UnknownProfileError"):
        after(unknown)
