"""When a clock runs out: the length that a regulation profile gives it, laid on the working calendar. The one count of days.

Day 0 is the local date of the event, day 1 the next working day. A deadline is 24:00 local of day N, as the instant of the next day's
00:00; what carries exactly that instant is still in time, so that a tie is never a breach.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tuntas_contracts.vocabulary import Clock, ServiceClass
from tuntas_reference.calendar import CalendarError, WorkingCalendar
from tuntas_reference.profile import DayUnit, load_profile

_MIDNIGHT = time()
NATIONAL_TIME_ZONE: Final = "Asia/Jakarta"


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of that IANA name. Raises CalendarError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CalendarError(f"no time zone {name!r}: give an IANA name such as Asia/Jakarta, Asia/Makassar or Asia/Jayapura") from error


def zone_or_national(name: str | None) -> tzinfo:
    """The time zone of that IANA name; the national one where there is none, or one that nobody knows."""
    try:
        return zone_of(name or NATIONAL_TIME_ZONE)
    except CalendarError:
        return zone_of(NATIONAL_TIME_ZONE)


def local_date(at: datetime, zone: tzinfo) -> date:
    """The local date of an instant."""
    return at.astimezone(zone).date()


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """24:00 local of that day, in UTC."""
    return datetime.combine(day + timedelta(days=1), _MIDNIGHT, zone).astimezone(UTC)


@lru_cache(maxsize=1024)
def zone_name_of(profile_name: str, clock: Clock, time_zone: str) -> str:
    """On whose time a clock runs: the agency's, or the profile's where the clock is nationally owned. Raises LookupError."""
    profile = load_profile(profile_name)
    return profile.national_time_zone if profile.clock(clock).zone == "national" else time_zone


def shifted(calendar: WorkingCalendar, day: date, days: int, unit: DayUnit) -> date:
    """The day that many days after `day`, before it where negative, counted in `unit`. Raises CalendarError."""
    if unit is DayUnit.CALENDAR_DAYS:
        return day + timedelta(days=days)
    return calendar.add_working_days(day, days)


def last_day_of(
    calendar: WorkingCalendar,
    profile_name: str,
    clock: Clock,
    day_0: date,
    service_class: ServiceClass | None = None,
    limit: int | None = None,
) -> date:
    """The last day of a clock that starts on `day_0`. `limit` replaces the profile's length in the clock's own unit.

    Raises CalendarError, and LookupError for an unknown profile or a class that is missing.
    """
    profile = load_profile(profile_name)
    return shifted(calendar, day_0, limit or profile.days(clock, service_class), profile.clock(clock).unit)


def due_at(calendar: WorkingCalendar, profile_name: str, clock: Clock, started_at: datetime, time_zone: str) -> datetime:
    """The end of a clock that starts at `started_at` and whose length does not depend on a class, in UTC.

    `time_zone` is the agency's. Raises CalendarError, and LookupError for an unknown profile.
    """
    zone = zone_of(zone_name_of(profile_name, clock, time_zone))
    return end_of_day(last_day_of(calendar, profile_name, clock, local_date(started_at, zone)), zone)
