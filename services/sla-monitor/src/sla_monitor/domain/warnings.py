"""What became of the warnings of one run of a clock, for those who look at a case."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.deadlines import DeadlinePlanner, notice_of
from tuntas_contracts.vocabulary import Clock, ServiceClass, WarningLevel
from tuntas_reference.calendar import CalendarError
from tuntas_reference.deadlines import local_date, zone_name_of, zone_of
from tuntas_reference.profile import DayUnit, ProfileLookupError, known_profiles, load_profile


class WarningState(StrEnum):
    """Where a warning stands."""

    TOLD = "told"
    PENDING = "pending"
    HELD = "held"  # until the owner of the case decides on the reporter's reply
    DROPPED = "dropped"  # its clock ended before


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a clock as it is stored. `known_at` is when the platform learnt of it, where that is later than the start."""

    clock: Clock
    deadline_version: int
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None
    outcome: RunOutcome
    working_days: int | None
    agency: str | None
    unit: str | None
    service_class: ServiceClass | None
    provisional: bool
    profile: str
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A checkpoint that has not fired."""

    clock: Clock
    level: WarningLevel
    deadline_version: int
    held: bool


@dataclass(frozen=True, slots=True)
class WarningOf:
    """One warning of a run. `ends`: the clock ran out."""

    clock: Clock
    level: WarningLevel
    fire_at: datetime
    ends: bool
    state: WarningState


def warnings_of(planner: DeadlinePlanner, run: Run, time_zone: str, opened: Collection[Open]) -> list[WarningOf]:
    """The warnings of a run in order of time.

    None where it was met as it began, the calendar has changed since, or its profile or class is one of a later release.
    """
    if run.ended_at == run.started_at or run.profile not in known_profiles():
        return []
    limit = _limit(planner, run, zone_name_of(run.profile, run.clock, time_zone))
    if limit < 1:
        return []
    try:
        plan = planner.plan(run.profile, run.clock, run.started_at, time_zone, run.service_class, limit, run.known_at)
    except (CalendarError, ProfileLookupError):
        return []
    if plan.due_at != run.due_at:
        return []
    waiting = {(item.clock, item.level): item for item in opened if item.deadline_version == run.deadline_version}
    found = []
    for checkpoint in plan.checkpoints:
        notice = notice_of(run.profile, checkpoint.clock, checkpoint.level)
        item = waiting.get((checkpoint.clock, checkpoint.level))
        if item is not None:
            state = WarningState.HELD if item.held else WarningState.PENDING
        elif run.ended_at is not None and checkpoint.fire_at >= run.ended_at:
            state = WarningState.DROPPED
        else:
            state = WarningState.TOLD
        found.append(WarningOf(checkpoint.clock, checkpoint.level, checkpoint.fire_at, notice.ends, state))
    return found


def _limit(planner: DeadlinePlanner, run: Run, zone_name: str) -> int:
    """The length that the run was given, from its first and last day: it need not be the profile's."""
    zone = zone_of(zone_name)
    first, last = local_date(run.started_at, zone), local_date(run.due_at - timedelta(microseconds=1), zone)
    if load_profile(run.profile).clock(run.clock).unit is DayUnit.CALENDAR_DAYS:
        return (last - first).days
    return planner.calendar.working_days_between(first, last)
