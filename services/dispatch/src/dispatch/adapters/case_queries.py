"""What officers read of their cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from dispatch.adapters.store import CASE_COLUMNS, case_of
from dispatch.domain.case import Case
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import CaseState

# the cast keeps the driver's JSON decoder out: the contract reads the text itself
_WITH_REPORT = f'SELECT {CASE_COLUMNS}, CAST(r.report AS text) AS report FROM "case" c JOIN case_report r ON r.case_id = c.id'  # noqa: S608
_ONE = text(f"{_WITH_REPORT} WHERE c.id = :id")
# (agency, state, id) is the index: pages are read off it in order, whatever the number of cases
_PAGE = text(f"{_WITH_REPORT} WHERE c.agency = :agency AND (c.state, c.id) > (:state, :id) ORDER BY c.state, c.id LIMIT :limit")
_PAGE_OF_STATE = text(f"{_WITH_REPORT} WHERE c.agency = :agency AND c.state = :state AND c.id > :id ORDER BY c.id LIMIT :limit")
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with its report."""

    case: Case
    report: ReportContent


class CaseQueries:
    """Reads cases without locking them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, case_id: UUID) -> StoredCase | None:
        """One case with its report."""
        async with self._database.read() as connection:
            row = (await connection.execute(_ONE, {"id": case_id})).one_or_none()
        return StoredCase(case_of(row), ReportContent.model_validate_json(row.report)) if row else None

    async def page(self, agency: str, state: CaseState | None, after: tuple[str, UUID] | None, limit: int) -> Sequence[StoredCase]:
        """An agency's cases in order of state and id, after the last one shown; one state only where it is given."""
        statement = _PAGE if state is None else _PAGE_OF_STATE
        at_state, at_id = after or ("", _FIRST)
        values = {"agency": agency, "state": state or at_state, "id": at_id, "limit": limit}
        async with self._database.read() as connection:
            rows = (await connection.execute(statement, values)).all()
        return [StoredCase(case_of(row), ReportContent.model_validate_json(row.report)) for row in rows]
