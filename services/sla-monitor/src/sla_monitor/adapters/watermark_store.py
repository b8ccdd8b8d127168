"""Keeps the watermarks: of each source and partition the one that holds now, and some of those that lie ahead of what is read."""

import json
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.application.watermarks import Watermark, newest
from tuntas_chassis.messaging.subscription import Stateless
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.watermarks import LateAgency


def _late(agencies: Sequence[LateAgency]) -> str | None:
    return json.dumps({a.agency: a.at.isoformat() if a.at else None for a in agencies}) if agencies else None


def _held(cases: Sequence[UUID]) -> str | None:
    return "{" + ",".join(map(str, cases)) + "}" if cases else None


_WATERMARKS = BulkColumns(
    Watermark,
    BulkColumn("partition", "integer", fixed=True),
    BulkColumn("source", "text", fixed=True),
    BulkColumn("end_offset", "bigint", fixed=True),
    BulkColumn("at", "timestamptz"),
    BulkColumn("late_agencies", "text", lambda watermark: _late(watermark.late_agencies), cast="jsonb"),
    BulkColumn("held_cases", "text", lambda watermark: _held(watermark.held_cases), cast="uuid[]"),
)
# More are thinned out to half as many at even distances: even a lag of a day is followed in steps of at most an hour and a half.
MOST_AHEAD = 64
_ADD = _WATERMARKS.statement(
    "INSERT INTO partition_watermark AS w ({names}) SELECT {values} FROM {unnest} AS x ({names}) ORDER BY partition, source, end_offset "
    "ON CONFLICT (partition, source, end_offset) DO UPDATE SET {changes} WHERE w.at <= EXCLUDED.at"
)
# Another replica may be at it: what it has locked is left to it.
_THIN_OUT = text(
    "WITH known AS (SELECT w.ctid AS row, w.partition, w.source, w.end_offset, w.at, w.end_offset <= coalesce(o.position, 0) AS read "
    "FROM partition_watermark w LEFT JOIN consumer_offset o ON o.consumer = :consumer AND o.topic = :topic AND o.partition = w.partition), "
    "spread AS (SELECT *, count(*) OVER many AS number, row_number() OVER (many ORDER BY at DESC, end_offset DESC) AS rank, "
    "width_bucket(extract(epoch FROM at - min(at) OVER many)::float8, 0, "
    "extract(epoch FROM max(at) OVER many - min(at) OVER many)::float8 + 1, :most_ahead / 2) AS step "
    "FROM known WINDOW many AS (PARTITION BY partition, source, read)), "
    "ranked AS (SELECT row, read, number, rank, row_number() "
    "OVER (PARTITION BY partition, source, read, step ORDER BY at DESC, end_offset DESC) AS within FROM spread) "
    "DELETE FROM partition_watermark WHERE ctid = ANY(ARRAY(SELECT w.ctid FROM partition_watermark w JOIN ranked r ON r.row = w.ctid "
    "WHERE CASE WHEN r.read THEN r.rank > 1 ELSE r.number > :most_ahead AND r.within > 1 END FOR UPDATE OF w SKIP LOCKED))"
)


class WatermarkStore(Stateless[None]):
    """The chassis' store of watermarks. None has a state of its own: each is kept as it is."""

    def __init__(self, consumer: str, topic: str, advanced: Callable[[], None]) -> None:
        """`consumer` reads the `topic` that the watermarks are of. `advanced` is called when some are about to be committed."""
        self._scope = {"consumer": consumer, "topic": topic, "most_ahead": MOST_AHEAD}
        self._advanced = advanced

    async def save(self, connection: AsyncConnection, states: Sequence[None], rows: Sequence[object]) -> None:
        """Keep those in `rows`, and drop those that newer ones make useless."""
        kept = newest([row for row in rows if isinstance(row, Watermark)])
        if kept:
            await connection.execute(_ADD, _WATERMARKS.arrays(kept))
            await connection.execute(_THIN_OUT, self._scope)
            self._advanced()
