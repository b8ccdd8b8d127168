"""Reads and writes the clocks of many cases at once: a handful of statements per batch, whatever its size."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.adapters.bulk_columns import (
    CASES,
    CHECKPOINTS,
    DISARMED,
    ENDS,
    HOLDS,
    STARTS,
    checkpoint_arrays,
    disarm_arrays,
    start_arrays,
)
from sla_monitor.adapters.clock_codec import read_clocks
from sla_monitor.adapters.folding import Folded, fold
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, Started
from sla_monitor.metrics import ARMED, ENDED
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import CaseState, ServiceClass

_LOAD = CASES.statement("SELECT {names} FROM case_clocks WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE")
_SAVE = CASES.statement(
    "INSERT INTO case_clocks ({names}) SELECT {values} FROM {unnest} AS x ({names}) ON CONFLICT (case_id) DO UPDATE SET {changes}"
)
_START = STARTS.statement("INSERT INTO clock_run ({names}) SELECT * FROM {unnest} ON CONFLICT DO NOTHING")
_ARM = CHECKPOINTS.statement("INSERT INTO checkpoint ({names}) SELECT * FROM {unnest} ON CONFLICT DO NOTHING")
_END = ENDS.statement(
    "UPDATE clock_run AS r SET {changes} FROM {unnest} AS x ({names}) "
    "WHERE r.case_id = x.case_id AND r.clock = x.clock AND r.deadline_version = x.deadline_version",
    changes_from="x",
)
_DISARM = DISARMED.statement(
    "DELETE FROM checkpoint AS c USING {unnest} AS x ({names}) "
    "WHERE c.case_id = x.case_id AND c.clock = x.clock AND (c.fire_at >= x.ended_at OR c.held OR (x.withdraws_end AND c.level = 'missed'))"
)
_HOLD = HOLDS.statement(
    "UPDATE checkpoint AS c SET held = x.held FROM {unnest} AS x ({names}) "
    "WHERE c.case_id = x.case_id AND c.clock = x.clock AND c.fire_at >= x.since"
)


class ClockStore:
    """The chassis' store of case clocks."""

    def __init__(self, metrics: MetricSet) -> None:
        self._metrics = metrics

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, CaseClocks]:
        """Lock and read cases. A key that is no case id has no state."""
        ids = [case_id for key in keys if (case_id := _case_id(key)) is not None]
        if not ids:
            return {}
        rows = await connection.execute(_LOAD, {"ids": ids})
        return {str(row.case_id): _read(row) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[CaseClocks], rows: Sequence[object]) -> None:
        """Write cases and the steps in `rows`."""
        if states:
            await connection.execute(_SAVE, CASES.arrays(states))
        steps = [row for row in rows if isinstance(row, Started | Ended | Held)]
        if steps:
            await self._save_steps(connection, fold(steps))
            self._count(steps)

    async def _save_steps(self, connection: AsyncConnection, folded: Folded) -> None:
        for holds in (folded.releases, folded.holds):
            if holds:
                await connection.execute(_HOLD, HOLDS.arrays(holds.values()))
        if folded.ends:
            await connection.execute(_END, ENDS.arrays(folded.ends))
            await connection.execute(_DISARM, disarm_arrays(folded.ends))
        if folded.new:
            await connection.execute(_START, start_arrays(folded.new.values()))
            armed = checkpoint_arrays(folded.new.values())
            if armed["case_id"]:
                await connection.execute(_ARM, armed)

    def _count(self, steps: Sequence[Started | Ended | Held]) -> None:
        started = Counter(step.run.clock for step in steps if isinstance(step, Started))
        ended = Counter((step.clock, step.outcome) for step in steps if isinstance(step, Ended))
        for clock, count in started.items():
            self._metrics.inc(ARMED, clock.value, by=count)
        for (clock, outcome), count in ended.items():
            self._metrics.inc(ENDED, clock.value, outcome.value, by=count)


def _case_id(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None  # `apply` refuses a record whose key is not its case id, with a reason


def _read(row: Row[Any]) -> CaseClocks:
    return CaseClocks(
        case_id=row.case_id,
        partition=row.partition,
        version=row.version,
        state=CaseState(row.state),
        profile=row.profile,
        time_zone=row.time_zone,
        received_at=row.received_at,
        agency=row.agency,
        unit=row.unit,
        service_class=ServiceClass(row.service_class) if row.service_class else None,
        bounces=row.bounces,
        responded_at=row.responded_at,
        answered_at=row.answered_at,
        **read_clocks(row.clocks),
    )
