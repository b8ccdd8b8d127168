"""The notifier's side work: its queue's gauges, and forgetting what is old enough."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from notifier.adapters.history import NoticeHistory
from notifier.metrics import QUEUE, QUEUE_AGE
from tuntas_chassis.logs import logger
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.waiting import set_within

_log = logger(__name__)
_FORGET_EVERY_S = 3600.0
_BATCH = 1_000


async def keep_gauges(
    stopping: asyncio.Event, *, history: NoticeHistory, metrics: MetricSet, wall: Callable[[], datetime], every_s: float
) -> None:
    """Measure the queue from time to time; what can't be measured stays as it was."""
    while not stopping.is_set():
        try:
            depth = await history.depth(wall())
        except (SQLAlchemyError, OSError) as error:
            _log.warning("queue_not_measured", error=type(error).__name__)
        else:
            for audience, found in depth.items():
                metrics.set(QUEUE, found.waiting, audience)
                metrics.set(QUEUE_AGE, found.late_s, audience)
        await set_within(stopping, every_s)


async def forget_old(stopping: asyncio.Event, *, history: NoticeHistory, wall: Callable[[], datetime], keep: timedelta) -> None:
    """Delete what is older than `keep`, a little at a time."""
    while not stopping.is_set():
        gone = await history.forget(wall() - keep, _BATCH)
        await set_within(stopping, _FORGET_EVERY_S if gone < _BATCH else 1.0)
