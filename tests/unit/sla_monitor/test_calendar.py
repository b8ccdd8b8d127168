"""The working calendar: properties that hold for every calendar, and the one that we ship."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_monitor.entrypoints.seed_calendar import as_csv, holidays_of
from tuntas_reference.calendar import CalendarError, Holiday, HolidayKind, WorkingCalendar
from tuntas_reference.calendar_files import load_calendar, read_year

FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
DAYS = st.dates(date(2024, 6, 1), date(2027, 6, 30))
COUNTS = st.integers(1, 100)


def a_calendar(days: set[date]) -> WorkingCalendar:
    holidays = [Holiday(day, HolidayKind.NATIONAL_HOLIDAY, "libur") for day in days]
    return WorkingCalendar("test", LAST, holidays, first_year=2024, last_year=2028)


# single days, and a bunch of ten days on end
CALENDARS = st.builds(
    lambda days, start: days | {start + timedelta(days=n) for n in range(10)},
    st.sets(st.dates(FIRST, LAST), max_size=40),
    st.dates(FIRST, LAST - timedelta(days=10)),
)


@given(CALENDARS, DAYS, COUNTS)
def test_the_nth_working_day_is_found_as_by_counting_on_fingers(holidays: set[date], day: date, count: int) -> None:
    calendar = a_calendar(holidays)
    found, left = day, count
    while left:
        found += timedelta(days=1)
        left -= found.weekday() < 5 and found not in holidays and not _fixed(calendar, found)
    assert calendar.add_working_days(day, count) == found
    assert calendar.working_days_between(day, found) == count


def _fixed(calendar: WorkingCalendar, day: date) -> bool:
    return any(holiday.day == day for holiday in calendar.holidays_of(day.year))


@given(CALENDARS, DAYS, COUNTS)
def test_counting_back_gives_the_day_after_day_0(holidays: set[date], day: date, count: int) -> None:
    calendar = a_calendar(holidays)
    end = calendar.add_working_days(day, count)
    assert calendar.add_working_days(end, 1 - count) == calendar.add_working_days(day, 1)
    assert calendar.is_working_day(end)
    assert end > day


@given(CALENDARS, DAYS, COUNTS, st.integers(0, 20))
def test_a_later_start_or_a_longer_limit_never_ends_earlier(holidays: set[date], day: date, count: int, more: int) -> None:
    calendar = a_calendar(holidays)
    assert calendar.add_working_days(day + timedelta(days=more), count) >= calendar.add_working_days(day, count)
    assert calendar.add_working_days(day, count + more) >= calendar.add_working_days(day, count)


@given(CALENDARS, DAYS, COUNTS, st.dates(FIRST, LAST))
def test_one_more_holiday_never_makes_a_deadline_earlier(holidays: set[date], day: date, count: int, more: date) -> None:
    given_years = {holiday.year for holiday in holidays}
    if more.year not in given_years:
        more = more.replace(year=next(iter(given_years)), day=min(more.day, 28))
    before, after = a_calendar(holidays), a_calendar(holidays | {more})
    assert after.add_working_days(day, count) >= before.add_working_days(day, count)


def test_a_deadline_crosses_the_turn_of_the_year() -> None:
    calendar = load_calendar()
    # 24 and 26 December 2025 are collective leave, 25 December and 1 January holidays
    assert calendar.add_working_days(date(2025, 12, 23), 5) == date(2026, 1, 2)
    assert calendar.working_days_between(date(2025, 12, 23), date(2026, 1, 5)) == 5 + 1


def test_the_ten_days_of_idul_fitri_2025_bunch_deadlines_on_the_first_working_day() -> None:
    calendar = load_calendar()
    starts = [date(2025, 3, 27) + timedelta(days=n) for n in range(12)]
    assert {calendar.add_working_days(day, 1) for day in starts} == {date(2025, 4, 8)}


def test_days_beyond_the_decree_are_provisional() -> None:
    calendar = load_calendar()
    assert not calendar.is_provisional(date(2027, 12, 31))
    assert calendar.is_provisional(date(2028, 1, 3))


def test_a_year_without_data_keeps_the_holidays_fixed_by_law() -> None:
    calendar = load_calendar()
    assert [holiday.day for holiday in calendar.holidays_of(2040)] == [
        date(2040, 1, 1),
        date(2040, 5, 1),
        date(2040, 6, 1),
        date(2040, 8, 17),
        date(2040, 12, 25),
    ]


def test_the_calendar_says_how_far_it_reaches() -> None:
    with pytest.raises(CalendarError, match="outside of the calendar 1999-2210"):
        load_calendar().add_working_days(date(1998, 12, 31), 1)
    with pytest.raises(CalendarError, match="widen the calendar"):
        load_calendar().add_working_days(date(2210, 12, 31), 1)


@pytest.mark.parametrize("year", range(2019, 2028))
def test_every_year_of_the_past_has_holidays_and_collective_leave(year: int) -> None:
    kinds = [holiday.kind for holiday in load_calendar().holidays_of(year)]
    assert kinds.count(HolidayKind.NATIONAL_HOLIDAY) >= 15
    assert kinds.count(HolidayKind.COLLECTIVE_LEAVE) >= 1


def test_a_seeded_year_reads_back_as_it_was() -> None:
    holidays = holidays_of(2025)
    assert list(read_year("2025.csv", as_csv(holidays))) == holidays
    assert tuple(holidays) == load_calendar().holidays_of(2025)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("day,kind,name\n", "the first line must be"),
        ("date,kind,name\n2026-02-30,national_holiday,x\n", "line 2"),
        ("date,kind,name\n2026-01-01,weekend,x\n", "'weekend'"),
        ("date,kind,name\n2027-01-01,national_holiday,x\n", "file of its own year"),
    ],
)
def test_a_faulty_file_is_named_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(CalendarError, match=fault) as error:
        list(read_year("2026.csv", text))
    assert str(error.value).startswith("2026.csv")


def test_two_holidays_on_one_day_are_refused() -> None:
    twice = [Holiday(date(2026, 1, 1), kind, "x") for kind in HolidayKind]
    with pytest.raises(CalendarError, match="2026-01-01 is given twice"):
        WorkingCalendar("test", LAST, twice)
