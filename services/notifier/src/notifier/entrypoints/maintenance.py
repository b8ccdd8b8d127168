"""The notifier's side work: its queue's gauges, and removing what is old enough."""

from collections.abc import Callable
from datetime import datetime, timedelta

from notifier.adapters.history import NoticeHistory
from notifier.metrics import QUEUE, QUEUE_AGE
from tuntas_chassis.telemetry.metrics import MetricSet

FORGET_EVERY_S = 3600.0
_BATCH = 1_000


async def measure_queue(history: NoticeHistory, metrics: MetricSet, wall: Callable[[], datetime]) -> None:
    """Set the gauges of the queue."""
    for audience, found in (await history.depth(wall())).items():
        metrics.set(QUEUE, found.waiting, audience)
        metrics.set(QUEUE_AGE, found.late_s, audience)


async def forget_old(history: NoticeHistory, wall: Callable[[], datetime], keep: timedelta) -> float:
    """Delete what is older than `keep`, a portion of it; returns the seconds until the next."""
    gone = await history.forget(wall() - keep, _BATCH)
    return FORGET_EVERY_S if gone < _BATCH else 1.0
