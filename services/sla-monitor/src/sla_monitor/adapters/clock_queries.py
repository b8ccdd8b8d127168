"""Reads of one case's clocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.warnings import Open, Run
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.vocabulary import CaseState, Clock, ServiceClass, WarningLevel

_CASE = text("SELECT version, state, agency, time_zone FROM case_clocks WHERE case_id = :case_id")
# The newest runs of each clock by one descent of the primary key, whatever the number of runs.
_WANTED = BulkColumns(tuple[Clock, int], BulkColumn("clock", "text"), BulkColumn("before", "integer"))
RUNS = _WANTED.statement(
    "SELECT r.* FROM {unnest} AS w ({names}) CROSS JOIN LATERAL ("
    "SELECT clock, deadline_version, started_at, due_at, ended_at, outcome, working_days, agency, unit, service_class, provisional, "
    "profile, known_at FROM clock_run WHERE case_id = :case_id AND clock = w.clock AND deadline_version < w.before "
    "ORDER BY deadline_version DESC LIMIT :limit) AS r ORDER BY r.started_at, r.clock, r.deadline_version"
)
_OPEN = text(
    "SELECT clock, level, deadline_version, held FROM checkpoint WHERE case_id = :case_id UNION ALL "
    "SELECT clock, level, deadline_version, false FROM checkpoint_set_aside WHERE case_id = :case_id"
)
NEWEST = 1 << 16  # above every deadline version
_CLOCKS, _LEVELS, _CLASSES = frozenset(Clock), frozenset(WarningLevel), frozenset(ServiceClass)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case's clocks as they are stored: some runs of each. `earlier` are the clocks with runs before those, and before which."""

    case_id: UUID
    version: int
    state: CaseState
    agency: str | None
    time_zone: str
    runs: tuple[Run, ...]
    opened: tuple[Open, ...]
    earlier: Mapping[Clock, int]


class ClockQueries:
    """Reads from the SLA monitor's own tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, case_id: UUID, befores: Mapping[Clock, int], limit: int) -> StoredCase | None:
        """The clocks of a case, or None where no event of it was read.

        Of each clock in `befores` up to `limit` runs whose deadline version is below the one given, the newest, in order of time.
        """
        async with self._database.read() as connection:
            case = (await connection.execute(_CASE, {"case_id": case_id})).one_or_none()
            if case is None:
                return None
            wanted = _WANTED.arrays(befores.items())
            found = list(await connection.execute(RUNS, {**wanted, "case_id": case_id, "limit": limit + 1}))
            opened = await connection.execute(_OPEN, {"case_id": case_id})
        versions = {clock: sorted(row.deadline_version for row in found if row.clock == clock) for clock in befores}
        # one more than the limit was asked for: where it is there, it begins the next page
        earlier = {clock: numbers[1] for clock, numbers in versions.items() if len(numbers) > limit}
        runs = [row for row in found if row.clock not in earlier or row.deadline_version >= earlier[Clock(row.clock)]]
        return StoredCase(
            case_id,
            case.version,
            CaseState(case.state),
            case.agency,
            case.time_zone,
            tuple(
                Run(
                    Clock(row.clock),
                    row.deadline_version,
                    row.started_at,
                    row.due_at,
                    row.ended_at,
                    RunOutcome(row.outcome),
                    row.working_days,
                    row.agency,
                    row.unit,
                    ServiceClass(row.service_class) if row.service_class in _CLASSES else None,
                    row.provisional,
                    row.profile,
                    row.known_at,
                )
                for row in runs
            ),
            # a clock or level of a later release must not hide the others of its case
            tuple(
                Open(Clock(row.clock), WarningLevel(row.level), row.deadline_version, row.held)
                for row in opened
                if row.clock in _CLOCKS and row.level in _LEVELS
            ),
            earlier,
        )
