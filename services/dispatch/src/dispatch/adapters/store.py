"""Cases in PostgreSQL, loaded and saved many at once."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.application.handlers import CaseReport
from dispatch.domain.case import Case
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.vocabulary import CaseState, Classification, CloseReason, Service, ServiceClass

_CASES = BulkColumns(
    Case,
    BulkColumn("id", "uuid", attrgetter("case_id"), fixed=True),
    BulkColumn("version", "integer"),
    BulkColumn("state", "text"),
    BulkColumn("owner", "text"),
    BulkColumn("topic_owner", "text"),
    BulkColumn("agency", "text"),
    BulkColumn("time_zone", "text"),
    BulkColumn("profile", "text"),
    BulkColumn("classification", "text"),
    BulkColumn("secret", "boolean"),
    BulkColumn("anonymous", "boolean"),
    BulkColumn("bounces", "smallint"),
    BulkColumn("arbitrated", "boolean"),
    BulkColumn("last_event_at", "timestamptz"),
    BulkColumn("unit", "text"),
    BulkColumn("service_class", "text"),
    BulkColumn("completion_limit", "smallint"),
    BulkColumn("answers", "smallint"),
    BulkColumn("answered_at", "timestamptz"),
    BulkColumn("supplements", "smallint"),
    BulkColumn("closed_reason", "text"),
    BulkColumn("closed_at", "timestamptz"),
    BulkColumn("name_fingerprints", "bytea"),
)
CASE_COLUMNS = ", ".join(f"c.{column.name}" for column in _CASES.columns)
_REPORTS = BulkColumns(CaseReport, BulkColumn("case_id", "uuid", fixed=True), BulkColumn("report", "json"))

_LOAD = _CASES.statement('SELECT {names} FROM "case" WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE')
_SAVE = _CASES.statement('INSERT INTO "case" ({names}) SELECT * FROM {unnest} ON CONFLICT (id) DO UPDATE SET {changes}')
# a case forwarded again brings its report again, perhaps reclassified
_SAVE_REPORTS = _REPORTS.statement("INSERT INTO case_report ({names}) SELECT * FROM {unnest} ON CONFLICT (case_id) DO UPDATE SET {changes}")


def case_of(row: Row[Any]) -> Case:
    """The case in a row of `CASE_COLUMNS`."""
    return Case(
        case_id=row.id,
        version=row.version,
        state=CaseState(row.state),
        owner=Service(row.owner),
        topic_owner=Service(row.topic_owner),
        agency=row.agency,
        time_zone=row.time_zone,
        profile=row.profile,
        classification=Classification(row.classification),
        secret=row.secret,
        anonymous=row.anonymous,
        bounces=row.bounces,
        arbitrated=row.arbitrated,
        last_event_at=row.last_event_at,
        unit=row.unit,
        service_class=ServiceClass(row.service_class) if row.service_class else None,
        completion_limit=row.completion_limit,
        answers=row.answers,
        answered_at=row.answered_at,
        supplements=row.supplements,
        closed_reason=member_or_text(CloseReason, row.closed_reason) if row.closed_reason else None,
        closed_at=row.closed_at,
        name_fingerprints=row.name_fingerprints,
    )


class CaseStore:
    """The delivery core's `Store` of cases."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Case]:
        """Lock and read cases; keys are case ids."""
        rows = await connection.execute(_LOAD, {"ids": list(keys)})
        return {str(row.id): case_of(row) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[Case], rows: Sequence[object]) -> None:
        """Write cases, and the reports of those that arrived."""
        if states:
            await connection.execute(_SAVE, _CASES.arrays(states))
        # the last report of a case wins: one statement can't touch a row twice
        reports = {row.case_id: row for row in rows if isinstance(row, CaseReport)}
        if reports:
            await connection.execute(_SAVE_REPORTS, _REPORTS.arrays(reports.values()))
