"""What triage does from time to time: read the register again, and bring the gauges up to date."""

import asyncio

from triage.adapters.queue import QueueReader
from triage.adapters.register import RegisterCopy
from triage.metrics import AGENCIES, OLDEST, QUEUE
from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.waiting import set_within


class Upkeep:
    """Background loops; each ends when its event is set."""

    def __init__(self, database: Database, register: RegisterCopy, reader: QueueReader, clock: Clock, metrics: MetricSet) -> None:
        self._database = database
        self._register = register
        self._reader = reader
        self._clock = clock
        self._metrics = metrics

    async def load_register(self) -> None:
        """Read the register from the table."""
        await self._register.reload(self._database)

    async def measure(self) -> None:
        """Set the gauges; the queue's partial index answers, however long the history is."""
        self._metrics.set(AGENCIES, len(self._register))
        size = await self._reader.size()
        self._metrics.set(QUEUE, size.verification, "verification")
        self._metrics.set(QUEUE, size.arbitration, "arbitration")
        waited = (self._clock.now() - size.oldest).total_seconds() if size.oldest else 0.0
        self._metrics.set(OLDEST, max(waited, 0.0))

    async def keep_register(self, stopping: asyncio.Event, every_s: float) -> None:
        """Read the register again and again: another replica may have taken in what this one was not given."""
        while not await set_within(stopping, every_s):
            await self.load_register()

    async def keep_gauges(self, stopping: asyncio.Event, every_s: float) -> None:
        """Measure again and again."""
        await self.measure()
        while not await set_within(stopping, every_s):
            await self.measure()
