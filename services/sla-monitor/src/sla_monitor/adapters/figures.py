"""Figures from the database, kept for a moment so that a public page costs the database nothing."""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from sqlalchemy import text

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.figures import Figures, Reports, RunCount, figures_of
from tuntas_chassis.database import Database
from tuntas_contracts.vocabulary import Clock, ServiceClass

_KEPT = 256
_REPORTS = text(
    "SELECT count(*) AS received, "
    "count(*) FILTER (WHERE responded_at IS NULL AND state <> 'archived') AS not_yet_responded, "
    "count(*) FILTER (WHERE answered_at IS NULL AND state <> 'archived') AS not_yet_completed, "
    "count(*) FILTER (WHERE state = 'closed') AS closed, count(*) FILTER (WHERE state = 'archived') AS archived FROM case_clocks "
    "WHERE received_at >= :since AND received_at < :until AND (CAST(:agency AS text) IS NULL OR agency = :agency)"
)
_RUNS = text(
    "SELECT clock, service_class, outcome, count(*) AS number, coalesce(sum(working_days), 0) AS working_days FROM clock_run "
    "WHERE started_at >= :since AND started_at < :until AND (CAST(:agency AS text) IS NULL OR agency = :agency) "
    "GROUP BY clock, service_class, outcome"
)


@dataclass(frozen=True, slots=True)
class Period:
    """What figures are asked for: from `since` up to, not with, `until`; one agency or all."""

    since: datetime
    until: datetime
    agency: str | None


class FigureReader:
    """Computes figures, and serves them again for `keep_s` seconds."""

    def __init__(self, database: Database, keep_s: float) -> None:
        self._database = database
        self._keep_s = keep_s
        self._kept: dict[Period, tuple[float, Figures]] = {}

    async def read(self, period: Period) -> Figures:
        """The figures of a period."""
        kept = self._kept.get(period)
        if kept is not None and monotonic() - kept[0] < self._keep_s:
            return kept[1]
        asked = {"since": period.since, "until": period.until, "agency": period.agency}
        async with self._database.connect() as connection:
            reports = (await connection.execute(_REPORTS, asked)).one()
            runs = (await connection.execute(_RUNS, asked)).all()
        counts = [
            RunCount(
                Clock(row.clock),
                ServiceClass(row.service_class) if row.service_class else None,
                RunOutcome(row.outcome),
                row.number,
                int(row.working_days),
            )
            for row in runs
        ]
        found = figures_of(Reports(*reports), counts)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[period] = (monotonic(), found)
        return found
