"""What is due, found by index: one query over all partitions, each behind its own lowest watermark."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.application.handlers import DueRow, Fired
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.vocabulary import Service

SOURCES = (Service.INTAKE.value, Service.TRIAGE.value, Service.DISPATCH.value)

# A watermark counts once everything below its end offset is behind the consumer. Of each source and partition the furthest does.
FLOOR = """reached AS MATERIALIZED (
    SELECT DISTINCT ON (w.partition, w.source) w.partition, w.source, w.at, w.late_agencies, w.held_cases FROM partition_watermark w
    LEFT JOIN consumer_offset o ON o.consumer = :consumer AND o.topic = :topic AND o.partition = w.partition
    WHERE w.source = ANY(CAST(:sources AS text[])) AND w.end_offset <= coalesce(o.position, 0)
    ORDER BY w.partition, w.source, w.at DESC, w.end_offset DESC),
floor AS MATERIALIZED (
    SELECT partition, min(at) AS at, count(late_agencies) > 0 AS late, count(held_cases) > 0 AS held FROM reached
    GROUP BY partition HAVING count(*) = cardinality(CAST(:sources AS text[])))"""
# What happened to a case before may be a dead letter, here or at a source, or lie on a topic of its agency that is not read or
# written yet: its deadlines wait for that.
DEAD_LETTER = """EXISTS (SELECT 1 FROM parked_message p WHERE p.consumer = :consumer AND p.key = CAST(c.case_id AS text)
    AND p.state IN ('parked', 'waiting'))"""
DEAD_LETTER_AT_SOURCE = "EXISTS (SELECT 1 FROM reached h WHERE h.partition = c.partition AND c.case_id = ANY(h.held_cases))"
AGENCY_LATE = """EXISTS (SELECT 1 FROM reached l CROSS JOIN LATERAL (
        SELECT k.agency FROM case_clocks k WHERE k.case_id = c.case_id
        UNION SELECT r.agency FROM clock_run r WHERE r.case_id = c.case_id AND r.outcome = 'running') AS a
    WHERE l.partition = c.partition AND l.late_agencies ? a.agency
        AND coalesce(CAST(l.late_agencies ->> a.agency AS timestamptz) <= c.fire_at, true))"""
FIREABLE = f"""c.fire_at < floor.at AND NOT {DEAD_LETTER}
    AND NOT (floor.held AND {DEAD_LETTER_AT_SOURCE}) AND NOT (floor.late AND {AGENCY_LATE})"""
_FIND = text(f"""WITH {FLOOR}
    SELECT due.case_id, due.fire_at FROM floor CROSS JOIN LATERAL (
        SELECT c.case_id, c.fire_at FROM checkpoint c
        WHERE c.partition = floor.partition AND c.fire_at <= CAST(:now AS timestamptz) AND NOT c.held
            AND {FIREABLE} ORDER BY c.fire_at LIMIT :limit) AS due
    ORDER BY due.fire_at, due.case_id LIMIT :limit""")  # noqa: S608  (fragments of ours)
_LOCK = text("SELECT case_id FROM case_clocks WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE SKIP LOCKED")
_TAKE = text(f"""WITH {FLOOR}
    DELETE FROM checkpoint c USING floor, clock_run r
    WHERE c.case_id = ANY(CAST(:ids AS uuid[])) AND c.partition = floor.partition
        AND c.fire_at <= CAST(:until AS timestamptz) AND NOT c.held AND {FIREABLE}
        AND r.case_id = c.case_id AND r.clock = CASE c.clock WHEN 'C5' THEN 'C4' ELSE c.clock END
        AND r.deadline_version = c.deadline_version
    RETURNING c.case_id, r.profile, c.clock, c.level, c.deadline_version, c.fire_at, r.due_at, r.agency, r.unit, r.service_class,
        c.partition""")  # noqa: S608
_RUNS = BulkColumns(Fired, BulkColumn("case_id", "uuid"), BulkColumn("clock", "text"), BulkColumn("deadline_version", "smallint"))
_MISSED = _RUNS.statement(
    "UPDATE clock_run AS r SET outcome = 'missed' FROM {unnest} AS x ({names}) WHERE r.outcome = 'running' "
    "AND r.case_id = x.case_id AND r.clock = x.clock AND r.deadline_version = x.deadline_version"
)


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
            await connection.execute(_MISSED, _RUNS.arrays(missed))
