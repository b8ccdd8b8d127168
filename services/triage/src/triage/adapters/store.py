"""Cases read and written in bulk: one statement for all that a batch touches."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from triage.domain.case import Case
from triage.domain.report import FiledReport
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Service

# fixed: what never changes after the first event
_CASES = BulkColumns(
    Case,
    BulkColumn("case_id", "uuid", fixed=True),
    BulkColumn("version", "integer"),
    BulkColumn("state", "text"),
    BulkColumn("owner", "text"),
    BulkColumn("topic_owner", "text"),
    BulkColumn("topic_version", "integer"),
    BulkColumn("profile", "text", fixed=True),
    BulkColumn("classification", "text"),
    BulkColumn("category", "text"),
    BulkColumn("title", "text"),
    BulkColumn("misconduct", "boolean", fixed=True),
    BulkColumn("secret", "boolean", fixed=True),
    BulkColumn("submitted_at", "timestamptz", fixed=True),
    BulkColumn("waiting_reason", "text"),
    BulkColumn("waiting_since", "timestamptz"),
    BulkColumn("queued_as", "timestamptz"),
    BulkColumn("bounces", "integer"),
    BulkColumn("arbitration", "boolean"),
    BulkColumn("agency", "text"),
    BulkColumn("return_reason", "text"),
    BulkColumn("archive_reason", "text"),
    BulkColumn("archive_note", "text"),
    BulkColumn("duplicate_of", "uuid"),
    BulkColumn("name_fingerprints", "bytea"),
)
COLUMNS = tuple(column.name for column in _CASES.columns)
_KNOWN = _CASES.without("profile", "misconduct", "secret", "submitted_at")
_REPORTS = BulkColumns(
    FiledReport, BulkColumn("case_id", "uuid"), BulkColumn("content", "jsonb", lambda report: report.content.model_dump_json())
)

_LOAD = _CASES.statement("SELECT {names} FROM case_file WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE")
_INSERT = _CASES.statement("INSERT INTO case_file ({names}) SELECT * FROM {unnest} ON CONFLICT (case_id) DO UPDATE SET {changes}")
_UPDATE = _KNOWN.statement(
    "UPDATE case_file SET {changes} FROM {unnest} AS new ({names}) WHERE case_file.case_id = new.case_id", changes_from="new"
)
_FILE = _REPORTS.statement("INSERT INTO report ({names}) SELECT * FROM {unnest} ON CONFLICT (case_id) DO NOTHING")


class CaseStore:
    """The `case_file` and `report` tables as a store of the delivery core."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Case]:
        """The cases of these keys, locked in one order; a key that is no case id has none."""
        ids = [found for key in keys if (found := _uuid(key)) is not None]
        if not ids:
            return {}
        rows = await connection.execute(_LOAD, {"ids": ids})
        return {str(row["case_id"]): read_case(row) for row in rows.mappings()}

    async def save(self, connection: AsyncConnection, states: Sequence[Case], rows: Sequence[object]) -> None:
        """Write changed cases and new reports; raises TypeError for a row of another kind."""
        filed = {row.case_id: row for row in rows if isinstance(row, FiledReport)}
        if len(filed) != len(rows):
            raise TypeError(f"triage stores reports, not {', '.join(sorted({type(row).__name__ for row in rows}))}")
        if filed:
            await connection.execute(_FILE, _REPORTS.arrays(filed.values()))
        if new := [case for case in states if case.case_id in filed]:
            await connection.execute(_INSERT, _CASES.arrays(new))
        if known := [case for case in states if case.case_id not in filed]:
            await connection.execute(_UPDATE, _KNOWN.arrays(known))


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def read_case(row: RowMapping) -> Case:
    """The case of a row of `case_file`."""
    values = {column: row[column] for column in COLUMNS}
    values["state"] = CaseState(values["state"])
    values["owner"] = Service(values["owner"])
    values["topic_owner"] = Service(values["topic_owner"])
    values["classification"] = Classification(values["classification"])
    if values["archive_reason"] is not None:
        values["archive_reason"] = member_or_text(ArchiveReason, values["archive_reason"])
    return Case(**values)
