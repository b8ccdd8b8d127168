"""Reads reports that are on file, and renews their access codes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from intake.application.ports import ReporterOfCase, StoredReport
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.vocabulary import Classification

# One row whether there is such a report or not, so that the time taken doesn't say which.
_FIND = text(
    "SELECT r.case_id, r.tracking_id, r.access_hash, r.reporter_ref, r.classification, r.title, r.submitted_at, r.assisted, r.profile "
    'FROM (SELECT CAST(:tracking_id AS text) COLLATE "C" AS tracking_id) AS t LEFT JOIN report r ON r.tracking_id = t.tracking_id'
)
# Only of reports that somebody else entered, and that have an address: of all others the reporter holds the code.
_CODES = BulkColumns(tuple[UUID, bytes], BulkColumn("case_id", "uuid", fixed=True), BulkColumn("access_hash", "bytea"))
_RENEW_CODES = _CODES.statement(
    "UPDATE report AS r SET {changes} FROM {unnest} AS x ({names}) "
    "WHERE r.case_id = x.case_id AND r.entered_by IS NOT NULL AND NOT r.assisted RETURNING r.case_id",
    changes_from="x",
)
_REPORTER = text("SELECT reporter_ref, anonymous, misconduct FROM report WHERE case_id = :case_id")


class Reports:
    """The table of reports."""

    async def find(self, connection: AsyncConnection, tracking_id: str) -> StoredReport | None:
        """The report with this id."""
        row = (await connection.execute(_FIND, {"tracking_id": tracking_id})).one()
        if row.case_id is None:
            return None
        return StoredReport(
            row.case_id,
            row.tracking_id,
            row.access_hash,
            row.reporter_ref,
            Classification(row.classification),
            row.title,
            row.submitted_at,
            row.assisted,
            row.profile,
        )

    async def reporter_of(self, connection: AsyncConnection, case_id: UUID) -> ReporterOfCase | None:
        """Who reported a case; None for an unknown case."""
        row = (await connection.execute(_REPORTER, {"case_id": case_id})).one_or_none()
        return ReporterOfCase(row.reporter_ref, row.anonymous, row.misconduct) if row else None

    async def renew_codes(self, connection: AsyncConnection, access_hashes: Mapping[UUID, bytes]) -> Sequence[UUID]:
        """Replace the codes of those cases that somebody else entered and that are not assisted; returns these."""
        return (await connection.execute(_RENEW_CODES, _CODES.arrays(access_hashes.items()))).scalars().all()
