"""The loop that tells what is due: each checkpoint once, in one transaction with its disappearance."""

import asyncio
from datetime import datetime
from time import monotonic

from sla_monitor.adapters.due import DueCheckpoints
from sla_monitor.domain.deadlines import notice_of
from sla_monitor.handlers import Fired, tell
from sla_monitor.metrics import DELAY, ELAPSED, HELD, LAG, MISSED, UNMARKED, WARNINGS
from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database
from tuntas_chassis.ids import time_of
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.outbox import Outbox
from tuntas_chassis.waiting import passed_on, set_within

_BACKLOG_EVERY_S = 10.0
_AWAKE_FOR_S = 1.0
_REST_S = 5.0


class FiringLoop:
    """Looks for due checkpoints by index; several replicas may do so at once.

    A checkpoint may fire once marks have passed it, so it looks at short intervals for a while after marks have come (`wake`),
    and seldom otherwise.
    """

    def __init__(
        self,
        due: DueCheckpoints,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        metrics: MetricSet,
        *,
        interval_s: float,
        batch: int,
        partitions: int,
    ) -> None:
        self._due = due
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._interval_s = interval_s
        self._batch = batch
        self._partitions = partitions
        self._measured_at = -float("inf")
        self._woken = asyncio.Event()
        self._awake_until = monotonic() + _AWAKE_FOR_S

    def wake(self) -> None:
        """Marks are about to be committed."""
        self._awake_until = monotonic() + _AWAKE_FOR_S
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        with passed_on(stopping, self._woken):
            while not stopping.is_set():
                self._woken.clear()
                more = await self.fire()
                if monotonic() - self._measured_at >= _BACKLOG_EVERY_S:
                    await self.measure()
                    self._measured_at = monotonic()
                if more:
                    continue
                if monotonic() < self._awake_until:
                    await set_within(stopping, self._interval_s)
                else:
                    await set_within(self._woken, max(_REST_S, self._interval_s))

    async def fire(self) -> bool:
        """One look: tell what is due. Says whether more is due already."""
        async with self._database.begin() as connection:
            now = self._clock.now()
            fired, more = await self._due.take(connection, now, self._batch)
            await self._outbox.write(connection, tell(fired))
        if fired:
            self._outbox.written()
            for item in fired:
                self._count(item, now)
        return more

    async def measure(self) -> None:
        """Set the gauges of marks and of what waits for them."""
        async with self._database.connect() as connection:
            backlog = await self._due.backlog(connection, self._clock.now(), self._partitions)
        if backlog.lag_s is not None:
            self._metrics.set(LAG, max(backlog.lag_s, 0.0))
        self._metrics.set(UNMARKED, self._partitions - backlog.marked_partitions)
        self._metrics.set(HELD, backlog.held)

    def _count(self, item: Fired, now: datetime) -> None:
        notice = notice_of(item.profile, item.clock, item.level)
        if notice.elapses:
            self._metrics.inc(ELAPSED, item.clock.value)
        elif notice.ends:
            self._metrics.inc(MISSED, item.clock.value)
        else:
            self._metrics.inc(WARNINGS, item.clock.value, item.level.value)
        what = "elapsed" if notice.elapses else "missed" if notice.ends else "warning"
        # a report entered by hand starts its clocks in the past: nobody could tell of it before it was entered
        due = max(item.fire_at.timestamp(), time_of(item.case_id))
        self._metrics.observe(DELAY, max(now.timestamp() - due, 0.0), what)
