"""When the players of the demo act: working days, week-ends, holidays."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from tests.unit.demo.builders import played
from tuntas_demo.agenda import Activity, Agenda
from tuntas_demo.office_hours import OFFICE, WIB, OfficeHours
from tuntas_demo.options import FIRST_DAY
from tuntas_reference.calendar_files import load_calendar

RNG = Random(1)


def wib(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=WIB)


@pytest.fixture
def office_hours() -> OfficeHours:
    return OfficeHours(load_calendar(), FIRST_DAY, 25)


def test_the_play_crosses_a_week_end_of_submissions_and_two_holidays(office_hours: OfficeHours) -> None:
    days = [FIRST_DAY + timedelta(days=n) for n in range(office_hours.submission_days)]
    assert {day.weekday() for day in days} >= {5, 6}
    assert office_hours.holidays() == ["Hari Kemerdekaan Republik Indonesia", "Maulid Nabi Muhammad"]
    days = list(office_hours.working_days())
    assert len(days) == 25
    assert (days[0], days[-1]) == (FIRST_DAY, office_hours.last_day)
    assert date(2026, 8, 17) not in days
    assert all(day.weekday() < 5 for day in days)


def test_an_official_acts_in_office_hours_of_a_working_day_after_now(office_hours: OfficeHours) -> None:
    friday_evening = wib(7, 31, 20)
    assert office_hours.office(friday_evening, 0, RNG).date() == date(2026, 8, 3)
    assert office_hours.office(friday_evening, 1, RNG).date() == date(2026, 8, 3)
    assert office_hours.office(wib(8, 1, 12), 0, RNG).date() == date(2026, 8, 3)
    assert office_hours.office(wib(7, 30, 10), 0, RNG) == wib(7, 30, OFFICE[1].hour)
    assert office_hours.office(wib(7, 30, 15), 0, RNG).date() == date(2026, 7, 31)


def test_a_holiday_is_no_working_day(office_hours: OfficeHours) -> None:
    assert office_hours.office(wib(8, 14, 10), 1, RNG).date() == date(2026, 8, 18)
    assert office_hours.evening(wib(8, 14, 10), 1) == wib(8, 18, 20)
    assert office_hours.is_day_off(wib(8, 17, 10))
    assert not office_hours.is_day_off(wib(8, 18, 10))


def test_a_reporter_acts_in_the_evening_after_now(office_hours: OfficeHours) -> None:
    assert office_hours.evening(wib(7, 30, 15), 0) == wib(7, 30, 20)
    assert office_hours.evening(wib(7, 30, 20), 0) == wib(7, 31, 20)
    assert office_hours.evening(wib(7, 31, 20), 0) == wib(8, 3, 20)


def test_a_report_is_sent_at_the_first_moment_that_is_not_before_it_was_written(office_hours: OfficeHours) -> None:
    assert office_hours.submission(wib(7, 30, 0, 30)) == wib(7, 30, 10)
    assert office_hours.submission(wib(7, 30, 10)) == wib(7, 30, 10)
    assert office_hours.submission(wib(8, 2, 21)) == wib(8, 2, 23, 30)
    assert office_hours.submission(wib(8, 3, 23, 59)) == wib(8, 3, 23, 30)


def test_a_short_play_takes_no_reports_after_its_last_day() -> None:
    short = OfficeHours(load_calendar(), FIRST_DAY, 2)
    assert short.submission_days == 2
    assert short.end == datetime(2026, 8, 1, 1, 30, tzinfo=UTC)


def test_the_clock_halts_every_working_morning_whether_or_not_somebody_acts(office_hours: OfficeHours) -> None:
    agenda = Agenda(office_hours.end)
    agenda.halt_at(office_hours.mornings())
    halts = []
    while (moment := agenda.next()) is not None:
        assert not any(agenda.take(moment).values())
        halts.append(moment.astimezone(WIB).date())
    assert halts == list(office_hours.working_days())


def test_what_was_planned_for_a_case_that_has_gone_on_since_is_not_done(office_hours: OfficeHours) -> None:
    agenda, case = Agenda(office_hours.end), played()
    case.stage = 3
    agenda.add(wib(7, 31, 10), Activity.ANSWER, case, 3)
    agenda.add(wib(7, 31, 15), Activity.ANSWER, case, 3)
    agenda.add(office_hours.end, Activity.ANSWER, case, 3)
    assert agenda.take(wib(7, 31, 10))[Activity.ANSWER] == [case]
    case.stage = 4
    assert agenda.take(wib(7, 31, 15))[Activity.ANSWER] == []
    assert agenda.next() is None
