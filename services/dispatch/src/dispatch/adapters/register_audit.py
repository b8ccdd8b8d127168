"""Who changed the register: a table to which lines are only added."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.domain.register_changes import Author, Change

_ADD = text(
    "INSERT INTO agency_change (at, subject, reason, code, before, after) "
    "VALUES (:at, :subject, :reason, :code, CAST(:before AS jsonb), CAST(:after AS jsonb))"
)
_LIST = text(
    "SELECT id, at, subject, reason, code, CAST(before AS text) AS before, CAST(after AS text) AS after FROM agency_change "
    "WHERE id > :after AND (CAST(:code AS text) IS NULL OR code = :code) ORDER BY id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One change of one agency. `before` and `after` are the fields that changed; `before` is None for an agency that was new."""

    id: int
    at: datetime
    subject: str
    reason: str
    code: str
    before: dict[str, Any] | None
    after: dict[str, Any]


async def write_audit(connection: AsyncConnection, changes: Sequence[Change], author: Author) -> None:
    """Write down, in the transaction of the changes and under the register's lock, who made them and why."""
    lines = []
    for change in changes:
        before, after = change.differences()
        versions = {"before": None if before is None else json.dumps(before), "after": json.dumps(after)}
        lines.append({"at": change.after.changed_at, "subject": author.subject, "reason": author.reason, "code": change.code, **versions})
    await connection.execute(_ADD, lines)


async def list_changes(connection: AsyncConnection, *, code: str | None, after: int, limit: int) -> Sequence[ChangeRecord]:
    """The changes of one agency, or of all, oldest first, behind the id `after`."""
    rows = await connection.execute(_LIST, {"code": code, "after": after, "limit": limit})
    return [
        ChangeRecord(
            row.id, row.at, row.subject, row.reason, row.code, json.loads(row.before) if row.before else None, json.loads(row.after)
        )
        for row in rows
    ]
