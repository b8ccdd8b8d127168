"""What triage does from time to time: read the register again, and bring the gauges up to date."""

from triage.adapters.queue import QueueReader
from triage.adapters.register import RegisterCopy
from triage.metrics import AGENCIES, OLDEST, QUEUE
from tuntas_chassis.clock import Clock
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet


class Maintenance:
    """Work of periodic jobs."""

    def __init__(self, database: Database, register: RegisterCopy, reader: QueueReader, clock: Clock, metrics: MetricSet) -> None:
        self._database = database
        self._register = register
        self._reader = reader
        self._clock = clock
        self._metrics = metrics

    async def load_register(self) -> None:
        """Read the register from the table: another replica may have taken in what this one was not given."""
        await self._register.reload(self._database)

    async def measure(self) -> None:
        """Set the gauges; the queue's partial index answers, however long the history is."""
        self._metrics.set(AGENCIES, len(self._register))
        size = await self._reader.size()
        self._metrics.set(QUEUE, size.verification, "verification")
        self._metrics.set(QUEUE, size.arbitration, "arbitration")
        waited = (self._clock.now() - size.oldest).total_seconds() if size.oldest else 0.0
        self._metrics.set(OLDEST, max(waited, 0.0))
