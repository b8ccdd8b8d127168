"""Cases in PostgreSQL, loaded and saved many at once."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.application.handlers import CaseReport
from dispatch.domain.case import Case
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.vocabulary import CaseState, Classification, CloseReason, Service, ServiceClass

# every column with its array type, and how it is read from a case; the order is that of the statement
_COLUMNS: tuple[tuple[str, str, Callable[[Case], object]], ...] = (
    ("id", "uuid[]", lambda c: c.case_id),
    ("version", "integer[]", lambda c: c.version),
    ("state", "text[]", lambda c: c.state),
    ("owner", "text[]", lambda c: c.owner),
    ("topic_owner", "text[]", lambda c: c.topic_owner),
    ("agency", "text[]", lambda c: c.agency),
    ("time_zone", "text[]", lambda c: c.time_zone),
    ("profile", "text[]", lambda c: c.profile),
    ("classification", "text[]", lambda c: c.classification),
    ("secret", "boolean[]", lambda c: c.secret),
    ("anonymous", "boolean[]", lambda c: c.anonymous),
    ("bounces", "smallint[]", lambda c: c.bounces),
    ("arbitrated", "boolean[]", lambda c: c.arbitrated),
    ("last_event_at", "timestamptz[]", lambda c: c.last_event_at),
    ("unit", "text[]", lambda c: c.unit),
    ("service_class", "text[]", lambda c: c.service_class),
    ("completion_limit", "smallint[]", lambda c: c.completion_limit),
    ("answers", "smallint[]", lambda c: c.answers),
    ("answered_at", "timestamptz[]", lambda c: c.answered_at),
    ("supplements", "smallint[]", lambda c: c.supplements),
    ("closed_reason", "text[]", lambda c: c.closed_reason),
    ("closed_at", "timestamptz[]", lambda c: c.closed_at),
    ("name_fingerprints", "bytea[]", lambda c: c.name_fingerprints),
)
CASE_COLUMNS = ", ".join(f"c.{name}" for name, _, _ in _COLUMNS)

_LOAD = text(f'SELECT {CASE_COLUMNS} FROM "case" c WHERE c.id = ANY(CAST(:ids AS uuid[])) ORDER BY c.id FOR UPDATE')  # noqa: S608
_SAVE = text(
    f'INSERT INTO "case" ({", ".join(name for name, _, _ in _COLUMNS)}) '  # noqa: S608
    f"SELECT * FROM unnest({', '.join(f'CAST(:{name} AS {kind})' for name, kind, _ in _COLUMNS)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = EXCLUDED.{name}' for name, _, _ in _COLUMNS[1:])}"
)
# a case forwarded again brings its report again, perhaps reclassified
_SAVE_REPORTS = text(
    "INSERT INTO case_report (case_id, report) SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:reports AS json[])) "
    "ON CONFLICT (case_id) DO UPDATE SET report = EXCLUDED.report"
)


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
            await connection.execute(_SAVE, {name: [read(case) for case in states] for name, _, read in _COLUMNS})
        # the last report of a case wins: one statement can't touch a row twice
        reports = {row.case_id: row.report for row in rows if isinstance(row, CaseReport)}
        if reports:
            await connection.execute(_SAVE_REPORTS, {"ids": list(reports), "reports": list(reports.values())})
