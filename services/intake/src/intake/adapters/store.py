"""Case history as intake has read it from the cases topic."""

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from intake.adapters.personal_data import erase
from intake.application.ports import RebuiltReport
from intake.domain.history import CaseStatus, HistoryEntry, case_status
from tuntas_chassis.messaging.subscription import Stateless
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.cases import ReporterErased
from tuntas_contracts.vocabulary import CaseState, Service

_ENTRIES = BulkColumns(
    HistoryEntry,
    BulkColumn("case_id", "uuid"),
    BulkColumn("version", "integer"),
    BulkColumn("event", "text"),
    BulkColumn("transition", "text"),
    BulkColumn("state", "text"),
    BulkColumn("owner", "text"),
    BulkColumn("agency", "text"),
    BulkColumn("occurred_at", "timestamptz"),
    BulkColumn("detail", "jsonb", lambda entry: json.dumps(entry.detail)),
)
_APPEND = _ENTRIES.statement(
    "INSERT INTO case_history ({names}) SELECT {values} FROM {unnest} AS x ({names}) ON CONFLICT (case_id, version) DO NOTHING"
)
_COLUMNS = "case_id, version, event, transition, state, owner, agency, occurred_at"
_PAGE = text(
    f"SELECT {_COLUMNS}, detail FROM case_history WHERE case_id = :case_id AND version < :before "  # noqa: S608  (fragments of ours)
    "ORDER BY version DESC LIMIT :limit"
)
# Each by one descent of an index, whatever the length of the history; long texts are left where they are.
_LAST = f"SELECT {_COLUMNS}, CAST('{{}}' AS jsonb) AS detail FROM case_history WHERE case_id = :case_id"  # noqa: S608
_LAST_FORWARDED = f"SELECT {_COLUMNS}, detail FROM case_history WHERE case_id = :case_id AND event = 'CaseForwarded'"  # noqa: S608
_STANDING = text(
    " UNION ALL ".join(
        f"({query} ORDER BY version DESC LIMIT 1)"
        for query in (_LAST_FORWARDED, f"{_LAST} AND event = 'CaseReturned'", f"{_LAST} AND event = 'CaseAnswered'", _LAST)
    )
)
_NEWEST: Final = 2**31 - 1
_REBUILT = BulkColumns(
    RebuiltReport,
    BulkColumn("case_id", "uuid"),
    BulkColumn("tracking_id", "text"),
    BulkColumn("reporter_ref", "uuid"),
    BulkColumn("classification", "text"),
    BulkColumn("channel", "text"),
    BulkColumn("language", "text"),
    BulkColumn("anonymous", "boolean"),
    BulkColumn("secret", "boolean"),
    BulkColumn("misconduct", "boolean"),
    BulkColumn("title", "text"),
    BulkColumn("submitted_at", "timestamptz"),
    BulkColumn("assisted", "boolean"),
    BulkColumn("profile", "text"),
)
_REBUILD = _REBUILT.statement("INSERT INTO report ({names}) SELECT {values} FROM {unnest} AS x ({names}) ON CONFLICT DO NOTHING")


class HistoryStore(Stateless[HistoryEntry]):
    """What an event adds does not depend on what was before; a version that is there already is passed over by the primary key."""

    async def save(self, connection: AsyncConnection, states: Sequence[HistoryEntry], rows: Sequence[object]) -> None:
        """Append entries, put back reports that are missing, erase again what was erased."""
        entries = [row for row in rows if isinstance(row, HistoryEntry)]
        if entries:
            await connection.execute(_APPEND, _ENTRIES.arrays(entries))
        erased = {row.reporter_ref: row.occurred_at for row in rows if isinstance(row, ReporterErased)}
        if erased:
            await erase(connection, erased)
        rebuilt = [row for row in rows if isinstance(row, RebuiltReport)]
        if rebuilt:
            await connection.execute(_REBUILD, _REBUILT.arrays(rebuilt))


class CaseHistory:
    """Reads what was appended."""

    async def page(self, connection: AsyncConnection, case_id: UUID, *, before: int | None, limit: int) -> list[HistoryEntry]:
        """The newest events of a case with a version below `before`, in order of version; none right after its submission."""
        rows = await connection.execute(_PAGE, {"case_id": case_id, "before": _NEWEST if before is None else before, "limit": limit})
        return [_entry(row) for row in rows][::-1]

    async def status(self, connection: AsyncConnection, case_id: UUID) -> CaseStatus:
        """Where a case stands, at a cost that does not grow with its history."""
        rows = await connection.execute(_STANDING, {"case_id": case_id})
        entries: dict[int, HistoryEntry] = {}
        for row in rows:
            if row.detail or row.version not in entries:  # the last event may be one of the others, which have their detail
                entries[row.version] = _entry(row)
        return case_status([entries[version] for version in sorted(entries)])


def _entry(row: Row[Any]) -> HistoryEntry:
    return HistoryEntry(
        row.case_id,
        row.version,
        row.event,
        row.transition,
        CaseState(row.state),
        Service(row.owner),
        row.agency,
        row.occurred_at,
        row.detail,
    )
