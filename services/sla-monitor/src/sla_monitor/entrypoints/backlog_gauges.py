"""The gauges of what is due and has not fired: measured beside the loop that fires, so that they show when that one fails."""

from datetime import datetime

from sla_monitor.adapters.backlog import REASONS, Unfired, backlog
from sla_monitor.metrics import HELD, LAG, UNFIRED, UNMARKED
from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import time_of
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet

BACKLOG_EVERY_S = 10.0


class BacklogGauges:
    """Sets them when asked."""

    def __init__(self, database: Database, clock: Clock, metrics: MetricSet, *, consumer: str, topic: str, partitions: int) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._consumer = consumer
        self._topic = topic
        self._partitions = partitions

    async def measure(self) -> None:
        """Set the gauges once."""
        now = self._clock.now()
        async with self._database.connect() as connection:
            found = await backlog(connection, self._consumer, self._topic, now, self._partitions)
        for source, lag in found.sources.items():
            if lag.lag_s is not None:
                self._metrics.set(LAG, max(lag.lag_s, 0.0), source)
            self._metrics.set(UNMARKED, self._partitions - lag.partitions, source)
        for reason in REASONS:
            self._metrics.set(HELD, found.held.get(reason, 0), reason)
        self._metrics.set(UNFIRED, max((_waiting_s(item, now) for item in found.unfired), default=0.0))


def _waiting_s(item: Unfired, now: datetime) -> float:
    """For how long it might have fired. A report entered by hand starts its clocks in the past: none could fire before it was entered."""
    return max(now.timestamp() - max(item.fire_at.timestamp(), time_of(item.case_id)), 0.0)
