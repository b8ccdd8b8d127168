"""Due checkpoints that this code can't handle: kept apart from those that wait, with the reason."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.application.handlers import DueRow
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.set_aside_rows import SetAsideRow, count_set_aside
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet

_log = logger(__name__)
_ROWS = BulkColumns(
    tuple[DueRow, str],
    BulkColumn("case_id", "uuid", lambda pair: pair[0].case_id),
    BulkColumn("clock", "text", lambda pair: pair[0].clock),
    BulkColumn("deadline_version", "smallint", lambda pair: pair[0].deadline_version),
    BulkColumn("level", "text", lambda pair: pair[0].level),
    BulkColumn("partition", "integer", lambda pair: pair[0].partition),
    BulkColumn("fire_at", "timestamptz", lambda pair: pair[0].fire_at),
    BulkColumn("reason", "text", lambda pair: pair[1]),
)
_PUT = _ROWS.statement("INSERT INTO checkpoint_set_aside ({names}) SELECT * FROM {unnest} ON CONFLICT DO NOTHING")
_NUMBER = text("SELECT count(*) FROM checkpoint_set_aside")
_PAGE = text(
    "SELECT case_id, clock, deadline_version, level, reason, set_aside_at FROM checkpoint_set_aside WHERE "
    "(case_id, clock, deadline_version, level) > (CAST(:case_id AS uuid), :clock, CAST(:deadline_version AS smallint), :level) "
    "ORDER BY case_id, clock, deadline_version, level LIMIT :limit"
)
_RETRY = text(
    "WITH taken AS (DELETE FROM checkpoint_set_aside WHERE (case_id, clock, deadline_version, level) IN (SELECT case_id, clock, "
    "deadline_version, level FROM checkpoint_set_aside ORDER BY set_aside_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING *), "
    "back AS (INSERT INTO checkpoint (case_id, clock, deadline_version, level, partition, fire_at) SELECT case_id, clock, "
    "deadline_version, level, partition, fire_at FROM taken ON CONFLICT DO NOTHING) SELECT count(*) FROM taken"
)
_FIRST = (UUID(int=0), "", 0, "")


class SetAsideCheckpoints:
    """Implements `tuntas_chassis.set_aside_rows.SetAsideRows`."""

    kind = "checkpoint"

    def __init__(self, database: Database, metrics: MetricSet) -> None:
        self._database = database
        self._metrics = metrics

    async def put(self, connection: AsyncConnection, rows: Sequence[tuple[DueRow, str]]) -> None:
        """Keep checkpoints that were taken away in this transaction, each with its reason."""
        await connection.execute(_PUT, _ROWS.arrays(rows))
        count_set_aside(self._metrics, self.kind, len(rows))
        for row, reason in rows[:10]:
            _log.error("checkpoint_set_aside", case_id=str(row.case_id), clock=row.clock, level=row.level, reason=reason)

    async def number(self) -> int:
        """How many there are."""
        async with self._database.connect() as connection:
            return int((await connection.execute(_NUMBER)).scalar_one())

    async def page(self, after: str, limit: int) -> Sequence[SetAsideRow]:
        """Some of them in order of their keys. Raises ValueError for a position that is none."""
        case_id, clock, version, level = _position(after) if after else _FIRST
        given = {"case_id": case_id, "clock": clock, "deadline_version": version, "level": level, "limit": limit}
        async with self._database.connect() as connection:
            rows = await connection.execute(_PAGE, given)
            return [
                SetAsideRow(
                    f"{row.case_id}/{row.clock}/{row.deadline_version}/{row.level}",
                    row.case_id,
                    f"{row.clock} {row.level} (deadline version {row.deadline_version})",
                    row.reason,
                    row.set_aside_at,
                )
                for row in rows
            ]

    async def retry(self, limit: int) -> int:
        """Let some of them be due again."""
        async with self._database.begin() as connection:
            return int((await connection.execute(_RETRY, {"limit": limit})).scalar_one())


def _position(text: str) -> tuple[UUID, str, int, str]:
    case_id, clock, version, level = text.split("/")
    return UUID(case_id), clock, int(version), level
