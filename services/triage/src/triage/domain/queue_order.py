"""In which order the national queue is worked off: oldest deadline first."""

from datetime import UTC, datetime
from functools import lru_cache

from tuntas_reference.calendar_files import load_calendar
from tuntas_reference.deadlines import local_date, zone_of
from tuntas_reference.profile import load_profile


def queue_time(started_at: datetime, profile: str, *, arbitration: bool) -> datetime:
    """The time to order the queue by.

    The queue's clocks are C1 (national verification) and, in arbitration, C10, both on the national time zone. Among clocks of
    one length the order of start is the order of deadline, so a C1 counts with its start. A C10 is shorter: it counts as the
    C1 that ends with it would have started, on the same hour some working days back. The deadlines themselves are sla-monitor's.
    """
    if not arbitration:
        return started_at
    zone_name, lead = _arbitration_lead(profile)
    zone, calendar = zone_of(zone_name), load_calendar()
    day = local_date(started_at, zone)
    # a day off counts like the working day before it
    last_worked = day if calendar.is_working_day(day) else calendar.add_working_days(day, -1)
    counts_as = calendar.add_working_days(last_worked, -lead)
    return datetime.combine(counts_as, started_at.astimezone(zone).time(), zone).astimezone(UTC)


@lru_cache(maxsize=16)
def _arbitration_lead(profile: str) -> tuple[str, int]:
    rules = load_profile(profile)
    return rules.national_time_zone, max(0, rules.days("C1") - rules.days("C10"))
