"""How many cases lie at each agency, by state: a gauge that is brought up to date beside the work."""

from collections.abc import Mapping

from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.lifecycle import ENDED
from tuntas_contracts.vocabulary import CaseState

OPEN_CASES = "tuntas_dispatch_open_cases"
_OPEN = [state for state in CaseState if state is not CaseState.RECEIVED and state not in ENDED]
_STATES = BulkColumns(CaseState, BulkColumn("state", "text", lambda state: state.value))
# one short walk of the index (agency, state, id) for each pair: finished cases are never touched, however many there are
_COUNT = _STATES.statement(
    "SELECT agency.code, wanted.state, found.number FROM agency CROSS JOIN {unnest} AS wanted ({names}) "
    'CROSS JOIN LATERAL (SELECT count(*) AS number FROM "case" c WHERE c.agency = agency.code AND c.state = wanted.state) AS found '
    "WHERE found.number > 0"
)


class OpenCases:
    """Counts the open cases of every agency."""

    def __init__(self, database: Database, metrics: MetricSet) -> None:
        self._database = database
        self._metrics = metrics
        self._shown: set[tuple[str, str]] = set()

    async def count(self) -> Mapping[tuple[str, str], int]:
        """Open cases by agency and state; a pair that has none is left out."""
        async with self._database.connect() as connection:
            return {(row.code, row.state): row.number for row in await connection.execute(_COUNT, _STATES.arrays(_OPEN))}

    async def measure(self) -> None:
        """Set the gauge; what was above zero once is shown as zero afterwards."""
        counted = await self.count()
        for agency, state in self._shown | counted.keys():
            self._metrics.set(OPEN_CASES, counted.get((agency, state), 0), agency, state)
        self._shown |= counted.keys()
