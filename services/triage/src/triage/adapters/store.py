"""Cases read and written in bulk: one statement for all that a batch touches."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from triage.domain.case import Case
from triage.domain.report import FiledReport
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Service

_SQL_TYPES = {
    "case_id": "uuid",
    "duplicate_of": "uuid",
    "version": "integer",
    "topic_version": "integer",
    "bounces": "integer",
    "misconduct": "boolean",
    "secret": "boolean",
    "arbitration": "boolean",
    "submitted_at": "timestamptz",
    "waiting_since": "timestamptz",
    "queued_as": "timestamptz",
    "name_fingerprints": "bytea",
}
COLUMNS = Case._fields
# what never changes after the first event
_FIXED = frozenset({"case_id", "profile", "misconduct", "secret", "submitted_at"})
_CHANGING = tuple(column for column in COLUMNS if column not in _FIXED)


def _arrays(columns: Iterable[str]) -> str:
    return ", ".join(f"CAST(:{column} AS {_SQL_TYPES.get(column, 'text')}[])" for column in columns)


_LOAD = text(f"SELECT {', '.join(COLUMNS)} FROM case_file WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE")  # noqa: S608
_INSERT = text(
    f"INSERT INTO case_file ({', '.join(COLUMNS)}) SELECT * FROM unnest({_arrays(COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (case_id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _CHANGING)}"
)
_UPDATE = text(
    f"UPDATE case_file SET {', '.join(f'{c} = new.{c}' for c in _CHANGING)} "  # noqa: S608
    f"FROM unnest({_arrays(('case_id', *_CHANGING))}) AS new(case_id, {', '.join(_CHANGING)}) WHERE case_file.case_id = new.case_id"
)
_FILE = text(
    "INSERT INTO report (case_id, content) SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:contents AS jsonb[])) "
    "ON CONFLICT (case_id) DO NOTHING"
)


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
            contents = [row.content.model_dump_json() for row in filed.values()]
            await connection.execute(_FILE, {"ids": list(filed), "contents": contents})
        if new := [case for case in states if case.case_id in filed]:
            await connection.execute(_INSERT, _columns(new, COLUMNS))
        if known := [case for case in states if case.case_id not in filed]:
            await connection.execute(_UPDATE, _columns(known, ("case_id", *_CHANGING)))


def _columns(cases: Sequence[Case], columns: Iterable[str]) -> dict[str, list[object]]:
    return {column: [getattr(case, column) for case in cases] for column in columns}


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
