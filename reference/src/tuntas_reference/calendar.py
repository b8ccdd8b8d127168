"""The Indonesian working calendar: Monday to Friday less national holidays (libur nasional) and collective leave (cuti bersama)."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from tuntas_contracts.base import EARLIEST, LATEST_DUE

# Fixed by law whatever the yearly joint decree (SKB tiga menteri) says: (month, day) -> name. They stand in for years without data.
FIXED_HOLIDAYS: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (1, 1): "Tahun Baru Masehi",
        (5, 1): "Hari Buruh Internasional",
        (6, 1): "Hari Lahir Pancasila",
        (8, 17): "Hari Kemerdekaan Republik Indonesia",
        (12, 25): "Hari Raya Natal",
    }
)


# A year around all times that contracts allow, so that none of them is beyond counting.
FIRST_YEAR = EARLIEST.year - 1
LAST_YEAR = LATEST_DUE.year


class CalendarError(ValueError):
    """The calendar does not reach that day, or its data contradict themselves; the message says which day."""


class HolidayKind(StrEnum):
    """Why a day is not worked."""

    NATIONAL_HOLIDAY = "national_holiday"  # libur nasional
    COLLECTIVE_LEAVE = "collective_leave"  # cuti bersama


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which the government does not work."""

    day: date
    kind: HolidayKind
    name: str


class WorkingCalendar:
    """One version of the calendar, from the first of January of `first_year` to the end of `last_year`.

    Years without a holiday in `holidays` keep the holidays that are fixed by law. A day after `decreed_until` is provisional.
    Counting costs two array look-ups, whatever the distance. Raises CalendarError for two holidays on one day or one beyond the range.
    """

    __slots__ = ("_counts", "_days", "_first", "_holidays", "decreed_until", "first_year", "last_year", "version")

    def __init__(
        self, version: str, decreed_until: date, holidays: Iterable[Holiday], *, first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR
    ) -> None:
        self.version = version
        self.decreed_until = decreed_until
        self.first_year = first_year
        self.last_year = last_year
        self._first = date(first_year, 1, 1).toordinal()
        self._holidays = self._by_day(holidays)
        # _days[i]: ordinal of the i-th working day; _counts[d]: how many working days end on or before first + d
        self._days = array("l")
        self._counts = array("l")
        last = date(last_year, 12, 31).toordinal()
        for ordinal in range(self._first, last + 1):
            day = date.fromordinal(ordinal)
            if day.weekday() < 5 and day not in self._holidays:
                self._days.append(ordinal)
            self._counts.append(len(self._days))

    def _by_day(self, holidays: Iterable[Holiday]) -> dict[date, Holiday]:
        found: dict[date, Holiday] = {}
        for holiday in holidays:
            if not self.first_year <= holiday.day.year <= self.last_year:
                raise CalendarError(f"holiday {holiday.day} lies outside of {self.first_year}-{self.last_year}: widen the calendar")
            if holiday.day in found:
                raise CalendarError(f"{holiday.day} is given twice: join the names into one line")
            found[holiday.day] = holiday
        given = {day.year for day in found}
        for year in range(self.first_year, self.last_year + 1):
            if year in given:
                continue
            for (month, day), name in FIXED_HOLIDAYS.items():
                fixed = Holiday(date(year, month, day), HolidayKind.NATIONAL_HOLIDAY, name)
                found[fixed.day] = fixed
        return found

    def _offset(self, day: date) -> int:
        offset = day.toordinal() - self._first
        if not 0 <= offset < len(self._counts):
            raise CalendarError(f"{day} lies outside of the calendar {self.first_year}-{self.last_year}: widen the calendar")
        return offset

    def is_working_day(self, day: date) -> bool:
        """Whether the government works on that day."""
        return day.weekday() < 5 and day not in self._holidays

    def is_provisional(self, day: date) -> bool:
        """Whether that day lies beyond what the government has decreed."""
        return day > self.decreed_until

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day` (before it if negative); `day` itself for 0. `day` need not be a working day."""
        if count == 0:
            return day
        offset = self._offset(day)
        counted = self._counts[offset] - 1
        if count < 0:  # counting back, the day itself must not count
            counted = self._counts[offset - 1] if offset else 0
        index = counted + count
        if not 0 <= index < len(self._days):
            raise CalendarError(f"{count} working days from {day} lie outside of {self.first_year}-{self.last_year}: widen the calendar")
        return date.fromordinal(self._days[index])

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days lie after `after`, up to and with `until`; 0 if `until` is not later."""
        if until <= after:
            return 0
        return self._counts[self._offset(until)] - self._counts[self._offset(after)]

    def holidays_of(self, year: int) -> tuple[Holiday, ...]:
        """The holidays of one year in order of their date. Raises CalendarError outside of the range."""
        if not self.first_year <= year <= self.last_year:
            raise CalendarError(f"the calendar holds {self.first_year}-{self.last_year}, not {year}: ask for a year in that range")
        return tuple(self._holidays[day] for day in sorted(self._holidays) if day.year == year)
