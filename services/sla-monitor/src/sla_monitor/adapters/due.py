"""What is due, found by index: one query over all partitions, each behind its own lowest mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.handlers import DueRow, Fired
from tuntas_contracts.vocabulary import Service

SOURCES = (Service.INTAKE.value, Service.TRIAGE.value, Service.DISPATCH.value)

# A mark holds only once its own record is behind the consumer: a batch taken apart key by key may write it before the rest.
_FLOOR = """floor AS (
    SELECT w.partition, min(w.at) AS at FROM watermark w
    JOIN consumer_offset o ON o.consumer = :consumer AND o.topic = :topic AND o.partition = w.partition AND o.position > w.record_offset
    WHERE w.source = ANY(CAST(:sources AS text[])) GROUP BY w.partition HAVING count(*) = cardinality(CAST(:sources AS text[])))"""
# What happened to a case before may lie in the parking lot: its deadlines wait with it.
_NOT_PARKED = """NOT EXISTS (SELECT 1 FROM parked_message p WHERE p.consumer = :consumer AND p.key = CAST(c.case_id AS text)
    AND p.state IN ('parked', 'waiting'))"""
_FIND = text(f"""WITH {_FLOOR}
    SELECT due.case_id, due.fire_at FROM floor CROSS JOIN LATERAL (
        SELECT c.case_id, c.fire_at FROM checkpoint c
        WHERE c.partition = floor.partition AND c.fire_at < floor.at AND c.fire_at <= CAST(:now AS timestamptz) AND NOT c.held
            AND {_NOT_PARKED} ORDER BY c.fire_at LIMIT :limit) AS due
    ORDER BY due.fire_at, due.case_id LIMIT :limit""")  # noqa: S608  (fragments of ours)
_LOCK = text("SELECT case_id FROM case_clocks WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE SKIP LOCKED")
_TAKE = text(f"""WITH {_FLOOR}
    DELETE FROM checkpoint c USING floor, clock_run r
    WHERE c.case_id = ANY(CAST(:ids AS uuid[])) AND c.partition = floor.partition AND c.fire_at < floor.at
        AND c.fire_at <= CAST(:until AS timestamptz) AND NOT c.held AND {_NOT_PARKED}
        AND r.case_id = c.case_id AND r.clock = CASE c.clock WHEN 'C5' THEN 'C4' ELSE c.clock END
        AND r.deadline_version = c.deadline_version
    RETURNING c.case_id, r.profile, c.clock, c.level, c.deadline_version, c.fire_at, r.due_at, r.agency, r.unit, r.service_class,
        c.partition""")  # noqa: S608
_MISSED = text(
    "UPDATE clock_run AS r SET outcome = 'missed' FROM unnest(CAST(:case_id AS uuid[]), CAST(:clock AS text[]), "
    "CAST(:deadline_version AS smallint[])) AS x (case_id, clock, deadline_version) WHERE r.outcome = 'running' "
    "AND r.case_id = x.case_id AND r.clock = x.clock AND r.deadline_version = x.deadline_version"
)
_BACKLOG = text(f"""WITH {_FLOOR}
    SELECT extract(epoch FROM CAST(:now AS timestamptz) - min(floor.at))::float8 AS lag_s, count(floor.at) AS marked,
        sum(waiting.number) AS held
    FROM generate_series(0, CAST(:partitions AS integer) - 1) AS p LEFT JOIN floor ON floor.partition = p CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (SELECT 1 FROM checkpoint c
            WHERE c.partition = p AND c.fire_at <= CAST(:now AS timestamptz) AND NOT c.held
            AND (floor.at IS NULL OR c.fire_at >= floor.at OR NOT {_NOT_PARKED}) LIMIT 1000) AS due) AS waiting""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the lowest mark is behind (seconds; None before the first), on how many partitions marks stand, what waits for them."""

    lag_s: float | None
    marked_partitions: int
    held: int


class DueCheckpoints:
    """The checkpoints of one consumer of the cases topic that may fire."""

    def __init__(self, consumer: str, topic: str) -> None:
        self._scope = {"consumer": consumer, "topic": topic, "sources": list(SOURCES)}

    async def take(self, connection: AsyncConnection, now: datetime, limit: int) -> tuple[Sequence[DueRow], bool]:
        """Take up to `limit` due checkpoints away, earliest first, with their cases locked.

        Cases are locked before checkpoints, as the consumer does it; cases that are being changed right now are left for the next look.
        Also says whether more is due than was asked for.
        """
        found = list(await connection.execute(_FIND, {**self._scope, "now": now, "limit": limit}))
        if not found:
            return [], False
        more = len(found) == limit
        until = found[-1].fire_at if more else now
        return await self.take_of(connection, until, list({row.case_id for row in found})), more

    async def cases(self, connection: AsyncConnection, now: datetime, limit: int) -> tuple[Sequence[UUID], bool]:
        """The cases of up to `limit` due checkpoints, and whether more is due; takes nothing away."""
        found = list(await connection.execute(_FIND, {**self._scope, "now": now, "limit": limit}))
        return list(dict.fromkeys(row.case_id for row in found)), len(found) == limit

    async def take_of(self, connection: AsyncConnection, until: datetime, case_ids: Sequence[UUID]) -> Sequence[DueRow]:
        """Take away what is due of these cases, but for cases that are being changed right now."""
        locked = list((await connection.execute(_LOCK, {"ids": list(case_ids)})).scalars())
        if not locked:
            return []
        return list(await connection.execute(_TAKE, {**self._scope, "ids": locked, "until": until}))

    async def record_missed(self, connection: AsyncConnection, missed: Sequence[Fired]) -> None:
        """Note of clocks that they ran out unmet."""
        if missed:
            names = ("case_id", "clock", "deadline_version")
            await connection.execute(_MISSED, {name: [getattr(item, name) for item in missed] for name in names})

    async def backlog(self, connection: AsyncConnection, now: datetime, partitions: int) -> Backlog:
        """What the metrics show; counts at most 1,000 per partition."""
        row = (await connection.execute(_BACKLOG, {**self._scope, "now": now, "partitions": partitions})).one()
        return Backlog(row.lag_s, row.marked, int(row.held or 0))
