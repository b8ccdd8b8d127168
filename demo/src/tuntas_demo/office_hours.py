"""When who acts: the moments of a simulated day, and working days counted on the Indonesian calendar."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tuntas_demo.options import SUBMISSION_DAYS
from tuntas_reference.calendar import WorkingCalendar

WIB = ZoneInfo("Asia/Jakarta")
"""Western Indonesian time (waktu Indonesia barat), on which the play runs."""
OFFICE = (time(10), time(15))
EVENING = time(20)
SUBMISSIONS = (*OFFICE, EVENING, time(23, 30))
_MIDNIGHT = time(0, 5)
_LATE = time(8, 30)  # after the last deadline of the day before and the morning's warnings, in all three time zones


class OfficeHours:
    """The moments of one play, each an aware datetime. The first day is a working day and counts as the first."""

    def __init__(self, calendar: WorkingCalendar, first_day: date, working_days: int) -> None:
        self._calendar = calendar
        self.first_day = first_day
        self.last_day = calendar.add_working_days(first_day, working_days - 1)
        self.first_moment = _at(first_day, _MIDNIGHT)
        self.end = _at(self.last_day + timedelta(days=1), _LATE)
        submission_days = [first_day + timedelta(days=n) for n in range(self.submission_days)]
        self._submissions = [_at(day, moment) for day in submission_days for moment in SUBMISSIONS]

    @property
    def submission_days(self) -> int:
        """Over how many calendar days reports arrive."""
        return min(SUBMISSION_DAYS, (self.last_day - self.first_day).days + 1)

    def working_days(self) -> Iterator[date]:
        """Every working day of the play."""
        day = self.first_day
        while day <= self.last_day:
            yield day
            day = self._calendar.add_working_days(day, 1)

    def mornings(self) -> Iterator[datetime]:
        """The first office moment of every working day: the clock halts there even if there is nothing to do."""
        return (_at(day, OFFICE[0]) for day in self.working_days())

    def submission(self, instant: datetime) -> datetime:
        """The first moment of submissions that is not before the instant; the last one for what comes later."""
        return self._submissions[min(bisect_left(self._submissions, instant), len(self._submissions) - 1)]

    def office(self, now: datetime, working_days: int, rng: Random) -> datetime:
        """A moment in office hours that many working days from now, always after now."""
        today = now.astimezone(WIB).date()
        day = self._calendar.add_working_days(today, working_days)
        if not self._calendar.is_working_day(day):
            day = self._calendar.add_working_days(day, 1)
        left = _after(day, OFFICE, now)
        if not left:
            day = self._calendar.add_working_days(day, 1)
            left = _after(day, OFFICE, now)
        return rng.choice(left)

    def evening(self, now: datetime, working_days: int) -> datetime:
        """The evening of the day that many working days from now, always after now."""
        today = now.astimezone(WIB).date()
        found = _at(self._calendar.add_working_days(today, working_days), EVENING)
        return found if found > now else _at(self._calendar.add_working_days(today, max(working_days, 1)), EVENING)

    def day_number(self, instant: datetime) -> int:
        """Which working day of the play it is, from 1; a day off counts as the last working day before it."""
        day = instant.astimezone(WIB).date()
        return bisect_right(list(self.working_days()), day)

    def is_day_off(self, instant: datetime) -> bool:
        """Whether the government does not work on that day."""
        return not self._calendar.is_working_day(instant.astimezone(WIB).date())

    def holidays(self) -> Sequence[str]:
        """The names of the holidays within the play that fall on Monday to Friday."""
        years = {self.first_day.year, self.last_day.year}
        found = [holiday for year in sorted(years) for holiday in self._calendar.holidays_of(year)]
        return [h.name for h in found if self.first_day <= h.day <= self.last_day and h.day.weekday() < 5]


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, WIB)


def _after(day: date, moments: Sequence[time], now: datetime) -> list[datetime]:
    return [found for found in (_at(day, moment) for moment in moments) if found > now]
