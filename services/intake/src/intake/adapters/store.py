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
from tuntas_contracts.cases import ReporterErased
from tuntas_contracts.vocabulary import CaseState, Service

_APPEND = text(
    "INSERT INTO case_history (case_id, version, event, transition, state, owner, agency, occurred_at, detail) "
    "SELECT * FROM unnest(CAST(:case_ids AS uuid[]), CAST(:versions AS integer[]), CAST(:events AS text[]), CAST(:transitions AS text[]), "
    "CAST(:states AS text[]), CAST(:owners AS text[]), CAST(:agencies AS text[]), CAST(:times AS timestamptz[]), "
    "CAST(:details AS jsonb[])) ON CONFLICT (case_id, version) DO NOTHING"
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
_REBUILD = text(
    "INSERT INTO report (case_id, tracking_id, reporter_ref, classification, channel, language, anonymous, secret, misconduct, title, "
    "submitted_at, assisted, profile) "
    "SELECT * FROM unnest(CAST(:case_ids AS uuid[]), CAST(:tracking_ids AS text[]), CAST(:reporter_refs AS uuid[]), "
    "CAST(:classifications AS text[]), CAST(:channels AS text[]), CAST(:languages AS text[]), CAST(:anonymous AS boolean[]), "
    "CAST(:secret AS boolean[]), CAST(:misconduct AS boolean[]), CAST(:titles AS text[]), CAST(:times AS timestamptz[]), "
    "CAST(:assisted AS boolean[]), CAST(:profiles AS text[])) "
    "ON CONFLICT DO NOTHING"
)


class HistoryStore(Stateless[HistoryEntry]):
    """What an event adds does not depend on what was before; a version that is there already is passed over by the primary key."""

    async def save(self, connection: AsyncConnection, states: Sequence[HistoryEntry], rows: Sequence[object]) -> None:
        """Append entries, put back reports that are missing, erase again what was erased."""
        entries = [row for row in rows if isinstance(row, HistoryEntry)]
        if entries:
            await connection.execute(
                _APPEND,
                {
                    "case_ids": [entry.case_id for entry in entries],
                    "versions": [entry.version for entry in entries],
                    "events": [entry.event for entry in entries],
                    "transitions": [entry.transition for entry in entries],
                    "states": [entry.state.value for entry in entries],
                    "owners": [entry.owner.value for entry in entries],
                    "agencies": [entry.agency for entry in entries],
                    "times": [entry.occurred_at for entry in entries],
                    "details": [json.dumps(entry.detail) for entry in entries],
                },
            )
        erased = {row.reporter_ref: row.occurred_at for row in rows if isinstance(row, ReporterErased)}
        if erased:
            await erase(connection, erased)
        rebuilt = [row for row in rows if isinstance(row, RebuiltReport)]
        if rebuilt:
            await connection.execute(
                _REBUILD,
                {
                    "case_ids": [row.case_id for row in rebuilt],
                    "tracking_ids": [row.tracking_id for row in rebuilt],
                    "reporter_refs": [row.reporter_ref for row in rebuilt],
                    "classifications": [row.classification for row in rebuilt],
                    "channels": [row.channel for row in rebuilt],
                    "languages": [row.language for row in rebuilt],
                    "anonymous": [row.anonymous for row in rebuilt],
                    "secret": [row.secret for row in rebuilt],
                    "misconduct": [row.misconduct for row in rebuilt],
                    "titles": [row.title for row in rebuilt],
                    "times": [row.submitted_at for row in rebuilt],
                    "assisted": [row.assisted for row in rebuilt],
                    "profiles": [row.profile for row in rebuilt],
                },
            )


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
