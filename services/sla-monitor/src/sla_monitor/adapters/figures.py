"""Figures from daily sums, kept for a moment so that a public page costs the database nothing."""

from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Final

from sqlalchemy import text

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.figures import Figures, Reports, RunCount, figures_of
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.vocabulary import Clock, ServiceClass

FOLD_EVERY_S: Final = 15.0
_FOLD_MORE_S: Final = 0.5
_FOLD_AT_ONCE: Final = 50_000
_KEPT: Final = 256
_CLOCKS: Final = frozenset(Clock)
_FOLD_LOCK: Final = 0x666967  # "fig": one process folds at a time

# The sums of the country are those of the agency ''. What is not folded yet is added: little, for that is done every few seconds.
_IN_PERIOD = "day >= CAST(:first AS date) AND day <= CAST(:last AS date)"
_REPORTS = text(
    "SELECT CAST(coalesce(sum(received), 0) AS bigint) AS received, "  # noqa: S608
    "CAST(coalesce(sum(not_yet_responded), 0) AS bigint) AS not_yet_responded, "
    "CAST(coalesce(sum(not_yet_completed), 0) AS bigint) AS not_yet_completed, "
    "CAST(coalesce(sum(closed), 0) AS bigint) AS closed, CAST(coalesce(sum(archived), 0) AS bigint) AS archived FROM ("
    "SELECT received, not_yet_responded, not_yet_completed, closed, archived FROM figure_cases "
    f"WHERE agency = :agency AND {_IN_PERIOD} UNION ALL "
    "SELECT received, not_yet_responded, not_yet_completed, closed, archived FROM figure_cases_change "
    f"WHERE (:agency = '' OR agency = :agency) AND {_IN_PERIOD}) AS s"
)
_RUNS = text(
    "SELECT clock, service_class, outcome, CAST(sum(number) AS bigint) AS number, CAST(sum(working_days) AS bigint) AS working_days FROM ("  # noqa: S608
    "SELECT clock, service_class, outcome, number, working_days FROM figure_runs "
    f"WHERE agency = :agency AND {_IN_PERIOD} UNION ALL "
    "SELECT clock, service_class, outcome, number, working_days FROM figure_runs_change "
    f"WHERE (:agency = '' OR agency = :agency) AND {_IN_PERIOD}) AS s GROUP BY clock, service_class, outcome HAVING sum(number) <> 0"
)
_FOLD_ALONE = text("SELECT pg_try_advisory_xact_lock(:lock)")
_BOTH = "CROSS JOIN LATERAL (SELECT '' UNION SELECT gone.agency) AS counted (agency)"
_FOLD_CASES = text(
    "WITH gone AS (DELETE FROM figure_cases_change WHERE id = ANY(ARRAY(SELECT id FROM figure_cases_change ORDER BY id LIMIT :most)) "  # noqa: S608
    "RETURNING *), folded AS (INSERT INTO figure_cases AS f "
    "SELECT counted.agency, day, sum(received), sum(not_yet_responded), sum(not_yet_completed), sum(closed), sum(archived) "
    f"FROM gone {_BOTH} GROUP BY 1, 2 ON CONFLICT (agency, day) DO UPDATE SET received = f.received + EXCLUDED.received, "
    "not_yet_responded = f.not_yet_responded + EXCLUDED.not_yet_responded, "
    "not_yet_completed = f.not_yet_completed + EXCLUDED.not_yet_completed, closed = f.closed + EXCLUDED.closed, "
    "archived = f.archived + EXCLUDED.archived) SELECT count(*) FROM gone"
)
_FOLD_RUNS = text(
    "WITH gone AS (DELETE FROM figure_runs_change WHERE id = ANY(ARRAY(SELECT id FROM figure_runs_change ORDER BY id LIMIT :most)) "  # noqa: S608
    "RETURNING *), folded AS (INSERT INTO figure_runs AS f (agency, day, clock, service_class, outcome, number, working_days) "
    "SELECT counted.agency, day, clock, service_class, outcome, sum(number), sum(working_days) "
    f"FROM gone {_BOTH} GROUP BY 1, 2, 3, 4, 5 ON CONFLICT (agency, day, clock, service_class, outcome) DO UPDATE SET "
    "number = f.number + EXCLUDED.number, working_days = f.working_days + EXCLUDED.working_days) SELECT count(*) FROM gone"
)


@dataclass(frozen=True, slots=True)
class Period:
    """What figures are asked for: the days `first` to `last`, both included, in Jakarta's time; one agency or all."""

    first: date
    last: date
    agency: str | None


class FigureRollups:
    """Folds what triggers noted into the daily sums."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fold(self) -> float:
        """Fold what was noted, a portion of it; returns the seconds until the next."""
        async with self._database.begin() as connection:
            if not await connection.scalar(_FOLD_ALONE, {"lock": _FOLD_LOCK}):
                return FOLD_EVERY_S
            cases = await connection.scalar(_FOLD_CASES, {"most": _FOLD_AT_ONCE})
            runs = await connection.scalar(_FOLD_RUNS, {"most": _FOLD_AT_ONCE})
        return _FOLD_MORE_S if max(cases or 0, runs or 0) >= _FOLD_AT_ONCE else FOLD_EVERY_S


class FigureReader:
    """Adds figures up, and serves them again for `keep_s` seconds."""

    def __init__(self, database: Database, keep_s: float) -> None:
        self._database = database
        self.keep_s = keep_s
        self._kept: dict[Period, tuple[float, Figures]] = {}

    async def read(self, period: Period) -> Figures:
        """The figures of a period."""
        kept = self._kept.get(period)
        if kept is not None and monotonic() - kept[0] < self.keep_s:
            return kept[1]
        asked = {"first": period.first, "last": period.last, "agency": period.agency or ""}
        async with self._database.read() as connection:
            reports = (await connection.execute(_REPORTS, asked)).one()
            runs = (await connection.execute(_RUNS, asked)).all()
        counts = [
            RunCount(
                Clock(row.clock),
                ServiceClass(row.service_class) if row.service_class else None,
                RunOutcome(row.outcome),
                row.number,
                row.working_days,
            )
            for row in runs
            if row.clock in _CLOCKS  # one of a later release has no figures yet, and hides no others
        ]
        found = figures_of(Reports(*reports), counts)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[period] = (monotonic(), found)
        return found
