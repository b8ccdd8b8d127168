"""Completion by agency and class, as gauges that outlive a restart, and what falls due next: brought up to date beside the work."""

from datetime import datetime, timedelta

from sqlalchemy import text

from sla_monitor.metrics import COMPLETIONS, FOLLOW_UP, UPCOMING
from tuntas_chassis.clock import Clock
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet

_Values = dict[tuple[str, ...], float]
WINDOW = timedelta(days=90)
"""Completions (C4) that began in so many days: long enough for 60 working days, and what a measurement reads stays bounded."""
SOON = timedelta(days=1)
# the index of `started_at` bounds the walk: the cost follows the reports of the window, not the history
_COMPLETIONS = text(
    "SELECT agency, service_class, CASE outcome WHEN 'met' THEN 'on_time' WHEN 'running' THEN 'running' ELSE 'late' END AS standing, "
    "count(*) AS number, count(*) FILTER (WHERE outcome IN ('met', 'met_late')) AS answered, "
    "coalesce(sum(working_days) FILTER (WHERE outcome IN ('met', 'met_late')), 0)::bigint AS days FROM clock_run "
    "WHERE clock = 'C4' AND outcome <> 'stopped' AND started_at >= :since AND agency IS NOT NULL "
    "AND service_class IS NOT NULL GROUP BY 1, 2, 3"
)
_UPCOMING = text(
    "SELECT clock, level, count(*) AS number FROM checkpoint WHERE NOT held AND partition = ANY(CAST(:partitions AS integer[])) "
    "AND fire_at >= :now AND fire_at < :until GROUP BY clock, level"
)


class CompletionGauges:
    """Measures the SLA monitor's tables."""

    def __init__(self, database: Database, clock: Clock, metrics: MetricSet, partitions: int) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._partitions = list(range(partitions))
        self._shown: dict[str, set[tuple[str, ...]]] = {}

    async def measure(self) -> None:
        """Set the gauges; what was shown once is shown as zero afterwards."""
        now = self._clock.now()
        async with self._database.connect() as connection:
            rows = (await connection.execute(_COMPLETIONS, {"since": now - WINDOW})).all()
            upcoming = await connection.execute(_UPCOMING, self._soon(now))
            due: _Values = {(row.clock, row.level): float(row.number) for row in upcoming}
        completions: _Values = {(row.agency, row.service_class, row.standing): float(row.number) for row in rows}
        answered: dict[tuple[str, ...], tuple[int, int]] = {}
        for row in rows:
            days, number = answered.get((row.agency,), (0, 0))
            if row.answered:
                answered[(row.agency,)] = (days + row.days, number + row.answered)
        for labels, value in self._with_gone(COMPLETIONS, completions).items():
            self._metrics.set(COMPLETIONS, value, *labels)
        means = {agency: days / number for agency, (days, number) in answered.items()}
        for labels, value in self._with_gone(FOLLOW_UP, means).items():
            self._metrics.set(FOLLOW_UP, value, *labels)
        for labels, value in self._with_gone(UPCOMING, due).items():
            self._metrics.set(UPCOMING, value, *labels)

    def _soon(self, now: datetime) -> dict[str, object]:
        return {"partitions": self._partitions, "now": now, "until": now + SOON}

    def _with_gone(self, name: str, found: _Values) -> _Values:
        shown = self._shown.setdefault(name, set())
        gone = dict.fromkeys(shown - found.keys(), 0.0)
        shown |= found.keys()
        return found | gone
