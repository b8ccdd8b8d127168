"""What is due, found by index: one query over all partitions, each behind its own lowest mark."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.deadlines import notice_of
from sla_monitor.handlers import Fired
from tuntas_contracts.vocabulary import Clock, Service, ServiceClass, WarningLevel

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
    SELECT due.case_id FROM floor CROSS JOIN LATERAL (
        SELECT c.case_id, c.fire_at FROM checkpoint c
        WHERE c.partition = floor.partition AND c.fire_at < floor.at AND c.fire_at <= :now AND NOT c.held AND {_NOT_PARKED}
        ORDER BY c.fire_at LIMIT :limit) AS due
    ORDER BY due.fire_at, due.case_id LIMIT :limit""")  # noqa: S608  (fragments of ours)
_LOCK = text("SELECT case_id FROM case_clocks WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE SKIP LOCKED")
_TAKE = text(f"""WITH {_FLOOR}
    DELETE FROM checkpoint c USING floor, case_clocks s, clock_run r
    WHERE c.case_id = ANY(CAST(:ids AS uuid[])) AND c.partition = floor.partition AND c.fire_at < floor.at
        AND c.fire_at <= LEAST(:now, CAST(:until AS timestamptz)) AND NOT c.held AND {_NOT_PARKED} AND s.case_id = c.case_id
        AND r.case_id = c.case_id AND r.clock = CASE c.clock WHEN 'C5' THEN 'C4' ELSE c.clock END
        AND r.deadline_version = c.deadline_version
    RETURNING c.case_id, s.profile, c.clock, c.level, c.deadline_version, c.fire_at, r.due_at, r.agency, r.unit, r.service_class""")  # noqa: S608
_MISSED = text(
    "UPDATE clock_run AS r SET outcome = 'missed' FROM unnest(CAST(:case_id AS uuid[]), CAST(:clock AS text[]), "
    "CAST(:deadline_version AS smallint[])) AS x (case_id, clock, deadline_version) WHERE r.outcome = 'running' "
    "AND r.case_id = x.case_id AND r.clock = x.clock AND r.deadline_version = x.deadline_version"
)
_LAG = text(f"""WITH {_FLOOR} SELECT extract(epoch FROM CAST(:now AS timestamptz) - min(at))::float8 AS lag, count(*) AS marked,
    (SELECT count(*) FROM (SELECT 1 FROM checkpoint c LEFT JOIN floor f ON f.partition = c.partition
        WHERE c.fire_at <= :now AND NOT c.held AND (f.at IS NULL OR c.fire_at >= f.at OR NOT {_NOT_PARKED}) LIMIT 10000) AS held) AS held
    FROM floor""")  # noqa: S608
