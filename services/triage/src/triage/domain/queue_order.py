"""In which order the national queue is worked off: oldest deadline first, without a calendar of triage's own."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tuntas_contracts.profile import load_profile

_FRIDAY = 4


def queue_time(started_at: datetime, profile: str, *, arbitration: bool) -> datetime:
    """The time to order the queue by.

    The queue's clocks are C1 (national verification) and, in arbitration, C10, both on the national time zone. Among clocks of
    one length the order of start is the order of deadline, so a C1 counts with its start. A C10 is shorter: it counts as the
    C1 that ends with it would have started, weekdays back. Holidays are left to sla-monitor, which owns the calendar and the
    deadlines; one between the two starts can shift an arbitration by its length, never two cases of the same kind.
    """
    if not arbitration:
        return started_at
    zone, lead = _arbitration_lead(profile)
    local = started_at.astimezone(zone)
    while local.weekday() > _FRIDAY:
        local -= timedelta(days=1)
    while lead > 0:
        local -= timedelta(days=1)
        lead -= local.weekday() <= _FRIDAY
    return local.astimezone(UTC)


@lru_cache(maxsize=16)
def _arbitration_lead(profile: str) -> tuple[ZoneInfo, int]:
    rules = load_profile(profile)
    return ZoneInfo(rules.national_time_zone), max(0, rules.days("C1") - rules.days("C10"))
