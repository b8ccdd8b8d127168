"""The notices of a case, how full the queue is, and what may be forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from tuntas_chassis.persistence.database import Database

_CASE = text("SELECT agency FROM case_notice_state WHERE case_id = :case_id")
_OF_CASE = text(
    "SELECT notice_id, kind, recipient, agency, status, attempts, repeats, reason, occurred_at, settled_at FROM delivery "
    "WHERE case_id = :case_id AND notice_id > :after ORDER BY notice_id LIMIT :limit"
)
_DEPTH = text(
    "SELECT audience, count(*) AS waiting, extract(epoch FROM :now - min(next_attempt_at))::float8 AS late_s "
    "FROM delivery WHERE status IN ('queued', 'sending') GROUP BY audience"
)
_FORGET_DELIVERIES = text(
    "DELETE FROM delivery WHERE (case_id, notice_id) IN (SELECT case_id, notice_id FROM delivery WHERE case_id < :oldest "
    "AND created_at < :before AND status IN ('sent', 'failed', 'no_channel') ORDER BY case_id LIMIT :limit)"
)
_FORGET_CASES = text(
    "DELETE FROM case_notice_state f WHERE case_id IN (SELECT case_id FROM case_notice_state c WHERE case_id < :oldest AND ended "
    "AND NOT EXISTS (SELECT FROM delivery d WHERE d.case_id = c.case_id) ORDER BY case_id LIMIT :limit)"
)


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case that the notifier has read of, and the agency that has it; None at the centre."""

    agency: str | None


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """One notice of a case. `settled_at` is when it was sent or given up; business times."""

    notice_id: UUID
    kind: str
    recipient: str
    agency: str | None
    status: str
    attempts: int
    repeats: int
    reason: str | None
    occurred_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Depth:
    """How many deliveries of one audience wait, and for how many seconds the oldest has been due (0 if none is)."""

    waiting: int
    late_s: float


class NoticeHistory:
    """Reads past deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def case(self, case_id: UUID) -> KnownCase | None:
        """The case, None if no event of it with its report was read."""
        async with self._database.connect() as connection:
            row = (await connection.execute(_CASE, {"case_id": case_id})).one_or_none()
        return KnownCase(row.agency) if row else None

    async def of_case(self, case_id: UUID, *, after: UUID | None, limit: int) -> Sequence[NoticeRecord]:
        """Notices of a case behind `after`, in order of the events that caused them."""
        async with self._database.connect() as connection:
            rows = await connection.execute(_OF_CASE, {"case_id": case_id, "after": after or UUID(int=0), "limit": limit})
            return [NoticeRecord(*row) for row in rows]

    async def depth(self, now: datetime) -> dict[str, Depth]:
        """What waits, for "reporters" and for "officers"."""
        async with self._database.connect() as connection:
            rows = {row.audience: row for row in await connection.execute(_DEPTH, {"now": now})}
        return {
            name: Depth(rows[code].waiting, max(0.0, rows[code].late_s)) if code in rows else Depth(0, 0.0)
            for code, name in ((0, "reporters"), (1, "officers"))
        }

    async def forget(self, before: datetime, limit: int = 1_000) -> int:
        """Delete some deliveries that are over of cases that began before `before`, and facts of ended cases; how many rows went.

        Case ids are UUIDv7: by time, so that the primary key finds the old ones.
        """
        oldest = UUID(int=int(before.timestamp() * 1000) << 80)
        async with self._database.begin() as connection:
            gone = await connection.execute(_FORGET_DELIVERIES, {"oldest": oldest, "before": before, "limit": limit})
            ended = await connection.execute(_FORGET_CASES, {"oldest": oldest, "limit": limit})
        return gone.rowcount + ended.rowcount
