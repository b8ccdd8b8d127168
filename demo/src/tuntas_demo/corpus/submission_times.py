"""When reports come in: more on working days, most in the evening."""

from bisect import bisect
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

# Monday to Sunday, and hour 0 to 23 of local time; relative.
WEEKDAYS = (1.2, 1.15, 1.1, 1.05, 0.95, 0.7, 0.65)
HOURS = (10, 6, 4, 3, 4, 8, 14, 24, 38, 46, 48, 44, 38, 36, 38, 38, 36, 38, 46, 62, 66, 58, 40, 22)


def submission_times(rng: Random, count: int, start: date, days: int) -> list[datetime]:
    """`count` moments in order over that many days from local midnight of `start` (WIB); UTC."""
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC) - timedelta(hours=7)
    weights = [WEEKDAYS[(start.weekday() + day) % 7] * hour for day in range(days) for hour in HOURS]
    cumulative = list(accumulate(weights))
    found = [
        midnight + timedelta(hours=bisect(cumulative, rng.random() * cumulative[-1]), seconds=rng.randrange(3600)) for _ in range(count)
    ]
    return sorted(found)
