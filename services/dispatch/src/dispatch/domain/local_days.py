"""Days as an agency counts them: local time, from midnight to midnight."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NATIONAL = "Asia/Jakarta"


def local_day(at: datetime, time_zone: str) -> date:
    """The local date of an instant."""
    return at.astimezone(_zone(time_zone)).date()


def next_day(at: datetime, time_zone: str) -> datetime:
    """The local midnight that ends the day of an instant."""
    zone = _zone(time_zone)
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(), zone)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    """A zone that nobody knows counts as the national one: a limit by the day must not stop a case."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_NATIONAL)
