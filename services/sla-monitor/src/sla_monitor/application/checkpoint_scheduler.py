"""The loop that announces what is due: each checkpoint once, in one transaction with its disappearance."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from sla_monitor.application.handlers import Announcement, DueRow, announce, fired_of, in_order
from sla_monitor.application.ports import DueCheckpoints, SetAsideCheckpoints
from sla_monitor.metrics import DELAY, ELAPSED, MISSED, WARNINGS
from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import time_of
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database, Transaction, is_transient
from tuntas_chassis.set_aside_rows import fault_of
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.waiting import passed_on, set_within

_log = logger(__name__)
_AWAKE_FOR_S = 1.0
_REST_S = 5.0


class CheckpointScheduler:
    """Looks for due checkpoints by index; several replicas may do so at once.

    A checkpoint may fire once watermarks have passed it, so it looks at short intervals for a while after some have come (`wake`),
    and seldom otherwise.
    """

    def __init__(
        self,
        due: DueCheckpoints,
        aside: SetAsideCheckpoints,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        metrics: MetricSet,
        *,
        interval_s: float,
        batch: int,
    ) -> None:
        self._due = due
        self._aside = aside
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._interval_s = interval_s
        self._batch = batch
        self._woken = asyncio.Event()
        self._awake_until = monotonic() + _AWAKE_FOR_S

    def wake(self) -> None:
        """Watermarks are about to be committed."""
        self._awake_until = monotonic() + _AWAKE_FOR_S
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        with passed_on(stopping, self._woken):
            while not stopping.is_set():
                self._woken.clear()
                more = await self.fire()
                if more:
                    continue
                if monotonic() < self._awake_until:
                    await set_within(stopping, self._interval_s)
                else:
                    await set_within(self._woken, max(_REST_S, self._interval_s))

    async def fire(self) -> bool:
        """One look: announce what is due. Says whether more is due already.

        A checkpoint that this code can't handle is set aside, the others are announced. Raises what the database raises while it is away.
        """
        try:
            async with self._database.begin() as connection:
                now = self._clock.now()
                rows, more = await self._due.take(connection, now, self._batch)
                announced = await self._announce_all(connection, rows)
        except Exception as error:
            if is_transient(error):
                raise
            _log.error("firing_case_by_case", fault=fault_of(error))
            return await self._fire_case_by_case()
        self._count(announced, now)
        return more

    async def _fire_case_by_case(self) -> bool:
        """For a fault that shows only in the database: each case in a transaction of its own, the one at fault set aside."""
        async with self._database.connect() as connection:
            now = self._clock.now()
            case_ids, more = await self._due.cases(connection, now, self._batch)
        for case_id in case_ids:
            try:
                async with self._database.begin() as connection:
                    announced = await self._announce_all(connection, await self._due.take_of(connection, now, [case_id]))
            except Exception as error:
                if is_transient(error):
                    raise
                fault = fault_of(error)
                async with self._database.begin() as connection:
                    rows = await self._due.take_of(connection, now, [case_id])
                    await self._aside.put(connection, [(row, fault) for row in rows])
            else:
                self._count(announced, now)
        return more

    async def _announce_all(self, connection: Transaction, rows: Sequence[DueRow]) -> Sequence[Announcement]:
        announced: list[Announcement] = []
        faulty: list[tuple[DueRow, str]] = []
        for row in rows:
            try:
                announced.append(announce(fired_of(row)))
            except Exception as error:
                faulty.append((row, fault_of(error)))
        announced = in_order(announced)
        await self._due.record_missed(connection, [item.fired for item in announced if item.notice.ends and not item.notice.elapses])
        await self._outbox.write(connection, [item.message for item in announced])
        if faulty:
            await self._aside.put(connection, faulty)
        return announced

    def _count(self, announced: Sequence[Announcement], now: datetime) -> None:
        if announced:
            self._outbox.written()
        for item in announced:
            self._count_one(item, now)

    def _count_one(self, announced: Announcement, now: datetime) -> None:
        item, notice = announced.fired, announced.notice
        if notice.elapses:
            self._metrics.inc(ELAPSED, item.clock.value)
        elif notice.ends:
            self._metrics.inc(MISSED, item.clock.value)
        else:
            self._metrics.inc(WARNINGS, item.clock.value, item.level.value)
        what = "elapsed" if notice.elapses else "missed" if notice.ends else "warning"
        # a report entered by hand starts its clocks in the past: nothing could be announced before it was entered
        due = max(item.fire_at.timestamp(), time_of(item.case_id))
        self._metrics.observe(DELAY, max(now.timestamp() - due, 0.0), what)
