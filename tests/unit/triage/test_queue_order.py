"""The order of the national queue: oldest deadline first, on the calendar that the deadlines are counted on."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.domain.queue_order import queue_time
from tuntas_reference.calendar_files import load_calendar
from tuntas_reference.profile import DEFAULT_PROFILE, load_profile

JAKARTA = ZoneInfo("Asia/Jakarta")
STARTS = st.integers(0, 7 * 365 * 24 * 60).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


def deadline(started_at: datetime, working_days: int) -> datetime:
    """The end of working day N in Jakarta, counted on fingers."""
    calendar = load_calendar()
    day = started_at.astimezone(JAKARTA).date()
    while working_days:
        day += timedelta(days=1)
        working_days -= calendar.is_working_day(day)
    return datetime.combine(day + timedelta(days=1), time(), JAKARTA)


@pytest.mark.parametrize(
    ("started", "counts_as"),
    [
        ("2026-03-04T12:00", "2026-03-02T12:00"),  # Wednesday as Monday
        ("2026-03-02T12:00", "2026-02-26T12:00"),  # Monday as Thursday
        ("2026-03-07T09:00", "2026-03-04T09:00"),  # Saturday as Wednesday: both end on Monday
        ("2026-03-08T00:30", "2026-03-04T00:30"),  # Sunday in Jakarta, still Saturday in UTC
        ("2026-03-25T09:00", "2026-03-16T09:00"),  # the first working day after Nyepi and Idul Fitri
    ],
)
def test_an_arbitration_counts_as_the_verification_that_ends_with_it(started: str, counts_as: str) -> None:
    local = datetime.fromisoformat(started).replace(tzinfo=JAKARTA)
    expected = datetime.fromisoformat(counts_as).replace(tzinfo=JAKARTA)
    assert queue_time(local.astimezone(UTC), DEFAULT_PROFILE, arbitration=True) == expected


@given(first=STARTS, second=STARTS, first_arbitrates=st.booleans(), second_arbitrates=st.booleans())
def test_an_earlier_deadline_comes_first(first: datetime, second: datetime, first_arbitrates: bool, second_arbitrates: bool) -> None:
    profile = load_profile()
    limits = {True: profile.days("C10"), False: profile.days("C1")}
    ends = deadline(first, limits[first_arbitrates]), deadline(second, limits[second_arbitrates])
    order = (
        queue_time(first, DEFAULT_PROFILE, arbitration=first_arbitrates),
        queue_time(second, DEFAULT_PROFILE, arbitration=second_arbitrates),
    )
    if order[0] < order[1]:
        assert ends[0] <= ends[1]
