"""The loops that a service runs beside its work, with one policy for errors.

A database or broker that is away, restarting or read-only is no fault of a loop: it is logged, shown by a gauge, and tried again.
Anything else is an error of ours: logged with its traceback and counted as a restart, for which there is an alert.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from aiokafka.errors import KafkaError

from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.waiting import set_within

Loop = Callable[[asyncio.Event], Awaitable[None]]
Work = Callable[[], Awaitable[float | None]]
"""One round of a periodic job; may return the seconds until the next, None for the job's interval."""

WAITING: Final = "tuntas_background_waiting"
RESTARTS: Final = "tuntas_background_restarts_total"
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 30.0
_LONGEST_OUTAGE_DELAY_S = 10.0
_STEADY_AFTER_S = 60.0
_log = logger(__name__)


def is_outage(error: BaseException) -> bool:
    """Whether `error` comes from something outside that will be back."""
    return isinstance(error, KafkaError) or is_transient(error)


class BackgroundLoops:
    """Keeps loops running until they are stopped."""

    def __init__(self, metrics: MetricSet) -> None:
        self._metrics = metrics

    def declare(self, name: str) -> None:
        """Show a loop's metrics from the start: a counter that begins with its first error hides that one."""
        self._metrics.inc(RESTARTS, name, by=0)
        self._metrics.set(WAITING, 0, name)

    async def keep_running(self, name: str, loop: Loop, stopping: asyncio.Event) -> None:
        """Run `loop` until `stopping` is set; one that raises is started again with backoff."""
        delay = _FIRST_DELAY_S
        while not stopping.is_set():
            started = monotonic()
            # a loop that has gone on for a while is over what it waited for
            steady = asyncio.get_running_loop().call_later(_STEADY_AFTER_S, self._metrics.set, WAITING, 0, name)
            try:
                await loop(stopping)
            except Exception as error:
                if monotonic() - started > _STEADY_AFTER_S:
                    delay = _FIRST_DELAY_S
                self._note(name, error)
                await set_within(stopping, min(delay, _LONGEST_OUTAGE_DELAY_S) if is_outage(error) else delay)
                delay = min(delay * 2, _LONGEST_DELAY_S)
            finally:
                steady.cancel()

    def periodic(self, name: str, interval_s: float, work: Work) -> Loop:
        """A loop that does `work` at once and then every `interval_s` seconds."""

        async def loop(stopping: asyncio.Event) -> None:
            while not stopping.is_set():
                next_in_s = await work()
                self._metrics.set(WAITING, 0, name)
                await set_within(stopping, interval_s if next_in_s is None else next_in_s)

        return loop

    def _note(self, name: str, error: Exception) -> None:
        if is_outage(error):
            self._metrics.set(WAITING, 1, name)
            _log.warning("background_waits", loop=name, error=type(error).__name__, detail=str(error)[:200])
        else:
            self._metrics.inc(RESTARTS, name)
            _log.error("background_failed", loop=name, error=type(error).__name__, detail=str(error)[:300], exc_info=error)
