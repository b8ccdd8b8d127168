"""How long the oldest report has waited for triage's first decision: the end-to-end sign that reports go on."""

from time import time
from typing import Final
from uuid import UUID

from sqlalchemy import text

from intake.metrics import UNDECIDED
from tuntas_chassis.database import Database
from tuntas_chassis.ids import time_of
from tuntas_chassis.metrics import MetricSet

_LOOK_BACK_S: Final = 7 * 86_400
_UNCOMMITTED_S: Final = 10.0  # a report younger than this may appear behind one that is there already
_PORTION: Final = 5_000

# LATERAL with LIMIT keeps to the primary keys of both tables, however long the history is.
_SCAN = text(
    "SELECT count(*) AS scanned, (array_agg(r.case_id ORDER BY r.case_id DESC))[1] AS last, "
    "(array_agg(r.case_id ORDER BY r.case_id) FILTER (WHERE h.known IS NULL))[1] AS undecided "
    "FROM (SELECT case_id FROM report WHERE case_id > :after ORDER BY case_id LIMIT :portion) AS r "
    "LEFT JOIN LATERAL (SELECT 1 AS known FROM case_history WHERE case_id = r.case_id AND version > 1 LIMIT 1) AS h ON true"
)


def first_id_of(moment: float) -> UUID:
    """The lowest UUIDv7 of that moment (seconds since 1970)."""
    return UUID(int=int(moment * 1000) << 80)


class UndecidedReports:
    """Goes through reports in order of their ids, which is that of time, and stops at the first without a decision."""

    def __init__(self, database: Database, metrics: MetricSet) -> None:
        self._database = database
        self._metrics = metrics
        self._after = first_id_of(time() - _LOOK_BACK_S)

    async def measure(self) -> None:
        """Set the gauge; 0 where nothing waits. Times are real, not the platform's simulated business time."""
        now = time()
        undecided = await self._first_undecided(first_id_of(now - _UNCOMMITTED_S))
        self._metrics.set(UNDECIDED, max(now - time_of(undecided), 0.0) if undecided else 0.0)

    async def _first_undecided(self, settled: UUID) -> UUID | None:
        after = self._after
        async with self._database.connect() as connection:
            while True:
                row = (await connection.execute(_SCAN, {"after": after, "portion": _PORTION})).one()
                found: UUID | None = row.undecided
                after = UUID(int=found.int - 1) if found else row.last or after
                if found or row.scanned < _PORTION:
                    break
        self._after = max(self._after, min(after, settled))
        return found
