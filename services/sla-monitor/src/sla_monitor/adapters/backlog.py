"""What is due and has not fired, and what it waits for: for the gauges only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.adapters.due import AGENCY_LATE, DEAD_LETTER, FIREABLE, FLOOR, SOURCES
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.vocabulary import Service

_SOURCE = BulkColumns(str, BulkColumn("source", "text", str))
_SOURCES = text(f"""WITH {FLOOR}
    SELECT s.source, count(r.partition) AS partitions, extract(epoch FROM CAST(:now AS timestamptz) - min(r.at))::float8 AS lag_s
    FROM {_SOURCE.unnest} AS s ({_SOURCE.names}) LEFT JOIN reached r ON r.source = s.source
        AND r.partition < CAST(:partitions AS integer) GROUP BY s.source""")  # noqa: S608  (fragments of ours)
_HELD = text(f"""WITH {FLOOR}
    SELECT due.reason, count(*) AS number FROM generate_series(0, CAST(:partitions AS integer) - 1) AS p
    LEFT JOIN floor ON floor.partition = p CROSS JOIN LATERAL (
        SELECT CASE WHEN {DEAD_LETTER} THEN 'dead letter in ' || :here
            WHEN h.source IS NOT NULL THEN 'dead letter in ' || h.source
            WHEN floor.late AND {AGENCY_LATE} THEN 'agency'
            ELSE 'watermark' END AS reason
        FROM checkpoint c LEFT JOIN LATERAL (SELECT min(r.source) AS source FROM reached r
            WHERE r.partition = c.partition AND c.case_id = ANY(r.held_cases)) AS h ON floor.held
        WHERE c.partition = p AND c.fire_at <= CAST(:now AS timestamptz) AND NOT c.held
            AND (floor.at IS NULL OR NOT ({FIREABLE})) LIMIT 1000) AS due GROUP BY due.reason""")  # noqa: S608
_UNFIRED = text(f"""WITH {FLOOR}
    SELECT due.case_id, due.fire_at FROM floor CROSS JOIN LATERAL (
        SELECT c.case_id, c.fire_at FROM checkpoint c WHERE c.partition = floor.partition AND c.fire_at <= CAST(:now AS timestamptz)
            AND NOT c.held AND {FIREABLE} ORDER BY c.fire_at LIMIT 100) AS due""")  # noqa: S608
REASONS = (
    "watermark",
    "agency",
    *(f"dead letter in {service.value}" for service in (Service.TRIAGE, Service.DISPATCH, Service.SLA_MONITOR)),
)


@dataclass(frozen=True, slots=True)
class SourceLag:
    """How far a source's lowest watermark is behind (seconds; None before its first), and on how many partitions it has one."""

    lag_s: float | None
    partitions: int


@dataclass(frozen=True, slots=True)
class Unfired:
    """A checkpoint that may fire and has not."""

    case_id: UUID
    fire_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """Watermarks by source; due checkpoints that are held back, by reason; and the earliest of those that nothing holds back."""

    sources: Mapping[str, SourceLag]
    held: Mapping[str, int]
    unfired: tuple[Unfired, ...]


async def backlog(connection: AsyncConnection, consumer: str, topic: str, now: datetime, partitions: int) -> Backlog:
    """What the metrics show; counts at most 1,000 held ones per partition."""
    values = {"consumer": consumer, "topic": topic, "sources": list(SOURCES), "now": now}
    sources = await connection.execute(_SOURCES, {**values, **_SOURCE.arrays(SOURCES), "partitions": partitions})
    held = await connection.execute(_HELD, {**values, "partitions": partitions, "here": Service.SLA_MONITOR.value})
    unfired = await connection.execute(_UNFIRED, values)
    return Backlog(
        {row.source: SourceLag(row.lag_s, row.partitions) for row in sources},
        {row.reason: row.number for row in held},
        tuple(Unfired(row.case_id, row.fire_at) for row in unfired),
    )
