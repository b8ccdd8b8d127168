"""When a clock runs out and when it warns: a rule of the regulation profile laid on the working calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache

from tuntas_contracts.vocabulary import Clock, Role, ServiceClass, WarningLevel
from tuntas_reference.calendar import WorkingCalendar
from tuntas_reference.deadlines import end_of_day, last_day_of, local_date, shifted, zone_name_of, zone_of
from tuntas_reference.profile import Anchor, ClockKind, ClockRule, Moment, RegulationProfile, WarningRule, load_profile

_SEVERITY = {level: rank for rank, level in enumerate(WarningLevel)}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment of a clock that must be announced if the clock still runs then. `clock` is C5 for the monitoring warning of C4."""

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

    recipients: tuple[Role, ...]
    ends: bool
    elapses: bool


@lru_cache(maxsize=256)
def notice_of(profile_name: str, clock: Clock, level: WarningLevel) -> Notice:
    """What a checkpoint of that clock and level means under a profile. Raises LookupError."""
    rule = load_profile(profile_name).clock(clock)
    for warning in rule.warnings:
        if warning.level is level:
            return Notice(warning.recipients, warning.is_deadline, False)
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
        known_at: datetime | None = None,
    ) -> Deadline:
        """The deadline of a clock that starts at `started_at`.

        `time_zone` is the agency's; nationally owned clocks run on the profile's. `limit` replaces the profile's length in days.
        `known_at` is when the platform learnt of it, later than the start where a report was entered late. Of the checkpoints that
        lie at or before that moment only the gravest is published, at once, and the end where it is over too: never a reminder with a miss.
        Raises CalendarError, and LookupError for an unknown profile or a class that is missing.
        """
        zone = zone_of(zone_name_of(profile_name, clock, time_zone))
        found = self._plan_of_day(profile_name, clock, local_date(started_at, zone), zone, service_class, limit)
        known_at = max(started_at, known_at or started_at)
        if not found.checkpoints or found.checkpoints[0].fire_at > known_at:
            return found
        late = [checkpoint for checkpoint in found.checkpoints if checkpoint.fire_at <= known_at]
        kept = [Checkpoint(one.clock, one.level, known_at) for one in _worth_telling(profile_name, late)]
        return Deadline(found.due_at, found.provisional, (*kept, *found.checkpoints[len(late) :]))

    def working_days(self, after: datetime, until: datetime, time_zone: str) -> int:
        """Working days from the day of one instant to the day of another, local time: the same or the next free day counts 0."""
        zone = zone_of(time_zone)
        return self.calendar.working_days_between(local_date(after, zone), local_date(until, zone))

    def _compute(
        self, profile_name: str, clock: Clock, day_0: date, zone: tzinfo, service_class: ServiceClass | None, limit: int | None
    ) -> Deadline:
        profile = load_profile(profile_name)
        rule = profile.clock(clock)
        last_day = last_day_of(self.calendar, profile_name, clock, day_0, service_class, limit)
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
            fire_at = _moment(shifted(self.calendar, anchor, days, rule.unit), warning, profile.warning_hour, zone)
            if warning.anchor is Anchor.START and fire_at >= due_at:
                continue  # a shortened limit ends before this level: the end itself is announced
            found.append(Checkpoint(Clock(rule.code), warning.level, fire_at))
        return found


def _worth_telling(profile_name: str, late: Sequence[Checkpoint]) -> list[Checkpoint]:
    gravest = max(late, key=lambda checkpoint: _SEVERITY[checkpoint.level])
    return [one for one in late if one is gravest or notice_of(profile_name, one.clock, one.level).ends]


def _moment(day: date, warning: WarningRule, hour: time, zone: tzinfo) -> datetime:
    if warning.moment is Moment.END_OF_DAY:
        return end_of_day(day, zone)
    return datetime.combine(day, hour, zone).astimezone(UTC)
