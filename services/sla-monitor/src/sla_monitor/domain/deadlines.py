"""When a clock runs out and when it warns: a rule of the regulation profile laid on the working calendar.

Day 0 is the local date of the event, day 1 the next working day. A deadline is 24:00 local of day N, stored as the instant of the next
day's 00:00; what carries exactly that instant is still in time, so that a tie is never a breach.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sla_monitor.domain.calendar import CalendarError, WorkingCalendar
from tuntas_contracts.profile import Anchor, ClockKind, ClockRule, DayUnit, Moment, RegulationProfile, WarningRule, load_profile
from tuntas_contracts.vocabulary import Clock, Role, ServiceClass, WarningLevel

_MIDNIGHT = time()
_SEVERITY = {level: rank for rank, level in enumerate(WarningLevel)}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment of a clock that must be told if the clock still runs then. `clock` is C5 for the monitoring warning of C4."""

    clock: Clock
    level: WarningLevel
    fire_at: datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a clock (UTC) and its checkpoints in order of time. `provisional`: it reaches into a year that is not decreed."""

    due_at: datetime
    provisional: bool
    checkpoints: tuple[Checkpoint, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a checkpoint means. `ends`: the clock runs out here. `elapses`: and the owner of the case acts on it by itself (C6)."""

    told: tuple[Role, ...]
    ends: bool
    elapses: bool


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of that IANA name. Raises CalendarError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CalendarError(f"no time zone {name!r}: give an IANA name such as Asia/Jakarta, Asia/Makassar or Asia/Jayapura") from error


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


@lru_cache(maxsize=256)
def notice_of(profile_name: str, clock: Clock, level: WarningLevel) -> Notice:
    """What a checkpoint of that clock and level means under a profile. Raises LookupError."""
    rule = load_profile(profile_name).clock(clock)
    for warning in rule.warnings:
        if warning.level is level:
            return Notice(warning.told, warning.is_deadline, False)
    if level is WarningLevel.MISSED:
        return Notice((), True, rule.kind is ClockKind.WINDOW)
    raise LookupError(f"clock {clock} of {profile_name} has no level {level}: see its warnings")


class DeadlinePlanner:
    """Lays the rules of the profiles on one version of the calendar. Plans of one day, zone and rule are computed once."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self.calendar = calendar
        self._plan_of_day = lru_cache(maxsize=8192)(self._compute)

    def plan(
        self,
        profile_name: str,
        clock: Clock,
        started_at: datetime,
        time_zone: str,
        service_class: ServiceClass | None = None,
        limit: int | None = None,
    ) -> Deadline:
        """The deadline of a clock that starts at `started_at`.

        `time_zone` is the agency's; nationally owned clocks run on the profile's. `limit` replaces the profile's length in days.
        Checkpoints that lie at or before the start are told at once, and of them only the gravest.
        Raises CalendarError, and LookupError for an unknown profile or a class that is missing.
        """
        zone = zone_of(zone_name_of(profile_name, clock, time_zone))
        found = self._plan_of_day(profile_name, clock, local_date(started_at, zone), zone, service_class, limit)
        if not found.checkpoints or found.checkpoints[0].fire_at > started_at:
            return found
        late = [checkpoint for checkpoint in found.checkpoints if checkpoint.fire_at <= started_at]
        gravest = max(late, key=lambda checkpoint: _SEVERITY[checkpoint.level])
        kept = (Checkpoint(gravest.clock, gravest.level, started_at), *found.checkpoints[len(late) :])
        return Deadline(found.due_at, found.provisional, kept)

    def working_days(self, after: datetime, until: datetime, time_zone: str) -> int:
        """Working days from the day of one instant to the day of another, local time: the same or the next free day counts 0."""
        zone = zone_of(time_zone)
        return self.calendar.working_days_between(local_date(after, zone), local_date(until, zone))

    def _compute(
        self, profile_name: str, clock: Clock, day_0: date, zone: tzinfo, service_class: ServiceClass | None, limit: int | None
    ) -> Deadline:
        profile = load_profile(profile_name)
        rule = profile.clock(clock)
        last_day = self._shift(day_0, limit or profile.days(clock, service_class), rule.unit)
        due_at = end_of_day(last_day, zone)
        found = self._checkpoints(profile, rule, day_0, last_day, zone, service_class)
        if clock is Clock.C4:
            found += self._checkpoints(profile, profile.clock(Clock.C5), day_0, last_day, zone, service_class)
        if not any(warning.is_deadline for warning in rule.warnings):
            found.append(Checkpoint(clock, WarningLevel.MISSED, due_at))
        found.sort(key=lambda checkpoint: (checkpoint.fire_at, _SEVERITY[checkpoint.level]))
        return Deadline(due_at, self.calendar.is_provisional(last_day), tuple(found))

    def _checkpoints(
        self, profile: RegulationProfile, rule: ClockRule, day_0: date, last_day: date, zone: tzinfo, service_class: ServiceClass | None
    ) -> list[Checkpoint]:
        due_at = end_of_day(last_day, zone)
        found = []
        for warning in rule.warnings:
            days = profile.warning_days(rule.code, warning, service_class)
            anchor = day_0 if warning.anchor is Anchor.START else last_day
            fire_at = _moment(self._shift(anchor, days, rule.unit), warning, profile.warning_hour, zone)
            if warning.anchor is Anchor.START and fire_at >= due_at:
                continue  # a shortened limit ends before this level: the end itself is told
            found.append(Checkpoint(Clock(rule.code), warning.level, fire_at))
        return found

    def _shift(self, day: date, days: int, unit: DayUnit) -> date:
        if unit is DayUnit.CALENDAR_DAYS:
            return day + timedelta(days=days)
        return self.calendar.add_working_days(day, days)


def _moment(day: date, warning: WarningRule, hour: time, zone: tzinfo) -> datetime:
    if warning.moment is Moment.END_OF_DAY:
        return end_of_day(day, zone)
    return datetime.combine(day, hour, zone).astimezone(UTC)
