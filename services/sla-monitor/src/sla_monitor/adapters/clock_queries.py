"""Reads of one case's clocks."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.warnings import Open, Run
from tuntas_chassis.database import Database
from tuntas_contracts.vocabulary import CaseState, Clock, ServiceClass, WarningLevel

_CASE = text("SELECT version, state, agency, time_zone FROM case_clocks WHERE case_id = :case_id")
_RUNS = text(
    "SELECT clock, deadline_version, started_at, due_at, ended_at, outcome, working_days, agency, unit, service_class, provisional, "
    "profile, known_at FROM clock_run WHERE case_id = :case_id ORDER BY started_at, clock, deadline_version"
)
_OPEN = text(
    "SELECT clock, level, deadline_version, held FROM checkpoint WHERE case_id = :case_id UNION ALL "
    "SELECT clock, level, deadline_version, false FROM checkpoint_set_aside WHERE case_id = :case_id"
)
_CLOCKS, _LEVELS, _CLASSES = frozenset(Clock), frozenset(WarningLevel), frozenset(ServiceClass)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case's clocks as they are stored."""

    case_id: UUID
    version: int
    state: CaseState
    agency: str | None
    time_zone: str
    runs: tuple[Run, ...]
    opened: tuple[Open, ...]


class ClockQueries:
    """Reads from the SLA monitor's own tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, case_id: UUID) -> StoredCase | None:
        """The clocks of a case, or None where no event of it was read."""
        async with self._database.read() as connection:
            case = (await connection.execute(_CASE, {"case_id": case_id})).one_or_none()
            if case is None:
                return None
            runs = await connection.execute(_RUNS, {"case_id": case_id})
            opened = await connection.execute(_OPEN, {"case_id": case_id})
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
                if row.clock in _CLOCKS
            ),
            # a clock or level of a later release must not hide the others of its case
            tuple(
                Open(Clock(row.clock), WarningLevel(row.level), row.deadline_version, row.held)
                for row in opened
                if row.clock in _CLOCKS and row.level in _LEVELS
            ),
        )
