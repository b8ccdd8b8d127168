"""What officers and gauges read: the national queue, single cases, and how long the queue is."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text

from triage.adapters.store import COLUMNS, read_case
from triage.domain.case import Case
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import CaseState, Classification

_SHOWN = f"{', '.join(f'c.{column}' for column in COLUMNS)}, CAST(r.content AS text) AS content"
_FROM = "FROM case_file c JOIN report r USING (case_id)"
_CASE = text(f"SELECT {_SHOWN} {_FROM} WHERE c.case_id = :case_id")
_STATE = text("SELECT state FROM case_file WHERE case_id = :case_id")
_PRESENT = {
    "classification": "c.classification = :classification",
    "category": "(c.category = :category OR starts_with(c.category, :category || '.'))",
    "arbitration": "c.arbitration = :arbitration",
    "misconduct": "c.misconduct = :misconduct",
    "queued_as": "(c.queued_as, c.case_id) > (CAST(:queued_as AS timestamptz), CAST(:case_id AS uuid))",
}
_SIZE = text(
    "SELECT count(*) FILTER (WHERE NOT arbitration) AS verification, count(*) FILTER (WHERE arbitration) AS arbitration, "
    "min(waiting_since) AS oldest FROM case_file WHERE state = 'received' AND owner = 'triage'"
)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which waiting cases to show; None does not filter. A category takes in all below it."""

    classification: Classification | None = None
    category: str | None = None
    arbitration: bool | None = None
    misconduct: bool | None = None


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """After which case a page begins: the order of the queue."""

    queued_as: datetime
    case_id: UUID


@dataclass(frozen=True, slots=True)
class QueueSize:
    """How many cases wait for verification and for arbitration, and since when the oldest does."""

    verification: int
    arbitration: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class FiledCase:
    """A case with its report as submitted."""

    case: Case
    report: ReportContent


class QueueReader:
    """Reads without locks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: QueueFilter, after: QueuePosition | None, limit: int) -> list[FiledCase]:
        """Up to `limit` waiting cases in the order of the queue."""
        values: dict[str, object] = {
            "classification": wanted.classification,
            "category": wanted.category,
            "arbitration": wanted.arbitration,
            "misconduct": wanted.misconduct,
        }
        if after is not None:
            values |= {"queued_as": after.queued_as, "case_id": after.case_id}
        given = {name: value for name, value in values.items() if value is not None}
        clauses = ["c.state = 'received'", "c.owner = 'triage'", *(_PRESENT[name] for name in given if name in _PRESENT)]
        statement = text(f"SELECT {_SHOWN} {_FROM} WHERE {' AND '.join(clauses)} ORDER BY c.queued_as, c.case_id LIMIT :limit")
        async with self._database.read() as connection:
            rows = await connection.execute(statement, {**given, "limit": limit})
            return [_filed(row) for row in rows.mappings()]

    async def case(self, case_id: UUID) -> FiledCase | None:
        """One case in whatever state."""
        async with self._database.read() as connection:
            row = (await connection.execute(_CASE, {"case_id": case_id})).mappings().one_or_none()
            return None if row is None else _filed(row)

    async def state(self, case_id: UUID) -> CaseState | None:
        """The state of a case as triage knows it: after a transfer it is the one with which it was transferred."""
        async with self._database.read() as connection:
            found = await connection.scalar(_STATE, {"case_id": case_id})
            return None if found is None else CaseState(found)

    async def size(self) -> QueueSize:
        """The length and age of the queue."""
        async with self._database.read() as connection:
            row = (await connection.execute(_SIZE)).mappings().one()
            return QueueSize(row["verification"], row["arbitration"], row["oldest"])


def _filed(row: RowMapping) -> FiledCase:
    return FiledCase(read_case(row), ReportContent.model_validate_json(row["content"]))
