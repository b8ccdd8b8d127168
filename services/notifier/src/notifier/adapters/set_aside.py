"""Deliveries that this code can't handle: in the queue's table, and not in its index of what is due."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from notifier.application.delivery_events import SET_ASIDE_KIND
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.set_aside_rows import SetAsideRow

_NUMBER = text("SELECT count(*) FROM delivery WHERE status = 'set_aside'")
_PAGE = text(
    "SELECT case_id, notice_id, kind, recipient, reason, set_aside_at FROM delivery WHERE status = 'set_aside' "
    "AND (case_id, notice_id) > (CAST(:case_id AS uuid), CAST(:notice_id AS uuid)) ORDER BY case_id, notice_id LIMIT :limit"
)
_RETRY = text(
    "UPDATE delivery d SET status = 'queued', next_attempt_at = now() FROM (SELECT case_id, notice_id FROM delivery "
    "WHERE status = 'set_aside' ORDER BY case_id, notice_id LIMIT :limit FOR UPDATE SKIP LOCKED) AS found "
    "WHERE d.case_id = found.case_id AND d.notice_id = found.notice_id"
)


class SetAsideDeliveries:
    """Implements `tuntas_chassis.set_aside_rows.SetAsideRows`."""

    kind = SET_ASIDE_KIND

    def __init__(self, database: Database) -> None:
        self._database = database

    async def number(self) -> int:
        """How many there are."""
        async with self._database.connect() as connection:
            return int((await connection.execute(_NUMBER)).scalar_one())

    async def page(self, after: str, limit: int) -> Sequence[SetAsideRow]:
        """Some of them in order of their keys. Raises ValueError for a position that is none."""
        case_id, notice_id = (UUID(part) for part in after.split("/")) if after else (UUID(int=0), UUID(int=0))
        async with self._database.connect() as connection:
            rows = await connection.execute(_PAGE, {"case_id": case_id, "notice_id": notice_id, "limit": limit})
            return [
                SetAsideRow(
                    f"{row.case_id}/{row.notice_id}",
                    row.case_id,
                    f"{row.kind} to {row.recipient}, notice {row.notice_id}",
                    row.reason or "unknown",
                    row.set_aside_at,
                )
                for row in rows
            ]

    async def retry(self, limit: int) -> int:
        """Queue some of them again."""
        async with self._database.begin() as connection:
            return (await connection.execute(_RETRY, {"limit": limit})).rowcount
