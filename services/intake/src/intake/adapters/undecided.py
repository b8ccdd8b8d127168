"""Which reports wait for triage's first decision, and for how long: the end-to-end sign that reports go on."""

from time import time
from typing import Final
from uuid import UUID

from sqlalchemy import text

from intake.metrics import UNDECIDED, UNDECIDED_LATE
from tuntas_chassis.ids import time_of
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet

_LOOK_BACK_S: Final = 7 * 86_400
_UNCOMMITTED_S: Final = 10.0  # a report younger than this may appear behind one that is there already
_PORTION: Final = 5_000

_MOST: Final = 5_000  # known to wait; with more, the scan goes on when some were decided
_LATE_S: Final = 120.0

# LATERAL with LIMIT keeps to the primary keys of both tables, however long the history is.
_DECISION = "LEFT JOIN LATERAL (SELECT 1 AS known FROM case_history WHERE case_id = r.case_id AND version > 1 LIMIT 1) AS h ON true"
_SCAN = text(
    "SELECT count(*) AS scanned, (array_agg(r.case_id ORDER BY r.case_id DESC))[1] AS last, "  # noqa: S608  (fragments of ours)
    "array_agg(r.case_id) FILTER (WHERE h.known IS NULL) AS undecided "
    f"FROM (SELECT case_id FROM report WHERE case_id > :after ORDER BY case_id LIMIT :portion) AS r {_DECISION}"
)
_IDS = BulkColumns(UUID, BulkColumn("case_id", "uuid", lambda case_id: case_id))
_STILL = _IDS.statement(f"SELECT r.case_id FROM {{unnest}} AS r ({{names}}) {_DECISION} WHERE h.known IS NULL")  # noqa: S608


def first_id_of(moment: float) -> UUID:
    """The lowest UUIDv7 of that moment (seconds since 1970)."""
    return UUID(int=int(moment * 1000) << 80)


class UndecidedReports:
    """Goes once through the reports in the order of their ids, which is that of time, and keeps those without a decision.

    A report that waits for an operator among dead letters doesn't hide those that are stuck behind it: all are counted.
    """

    def __init__(self, database: Database, metrics: MetricSet) -> None:
        self._database = database
        self._metrics = metrics
        self._after = first_id_of(time() - _LOOK_BACK_S)
        self._waiting: set[UUID] = set()

    async def measure(self) -> None:
        """Set the gauges; 0 where nothing waits. Times are real, not the platform's simulated business time."""
        now = time()
        await self._look(first_id_of(now - _UNCOMMITTED_S))
        ages = [now - time_of(identifier) for identifier in self._waiting]
        self._metrics.set(UNDECIDED, max(ages, default=0.0))
        self._metrics.set(UNDECIDED_LATE, sum(age > _LATE_S for age in ages))

    async def _look(self, committed_before: UUID) -> None:
        after = self._after
        async with self._database.connect() as connection:
            if self._waiting:
                self._waiting = set((await connection.execute(_STILL, _IDS.arrays(self._waiting))).scalars())
            while len(self._waiting) < _MOST:
                row = (await connection.execute(_SCAN, {"after": after, "portion": _PORTION})).one()
                self._waiting.update(row.undecided or ())
                after = row.last or after
                if row.scanned < _PORTION:
                    break
        self._after = max(self._after, min(after, committed_before))
