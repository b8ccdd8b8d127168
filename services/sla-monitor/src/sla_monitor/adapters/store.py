"""Reads and writes the clocks of many cases at once: a handful of statements per batch, whatever its size."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.adapters.arrays import CASE_COLUMNS, arm_arrays, case_arrays, disarm_arrays, end_arrays, start_arrays
from sla_monitor.adapters.clock_codec import read_clocks
from sla_monitor.adapters.folding import Folded, fold
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, Started
from sla_monitor.metrics import ARMED, ENDED
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import CaseState, ServiceClass

_COLUMNS = ", ".join((*CASE_COLUMNS, "clocks"))
_LOAD = text(  # fragments of ours
    f"SELECT {_COLUMNS} FROM case_clocks WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE"  # noqa: S608
)
_SAVE = text(
    f"INSERT INTO case_clocks ({_COLUMNS}) SELECT"  # noqa: S608
    "  case_id, partition, version, state, profile, time_zone, received_at, agency, unit, "
    "service_class, bounces, responded_at, answered_at, CAST(clocks AS jsonb) FROM unnest(CAST(:case_id AS uuid[]), "
    "CAST(:partition AS integer[]), CAST(:version AS integer[]), CAST(:state AS text[]), CAST(:profile AS text[]), "
    "CAST(:time_zone AS text[]), CAST(:received_at AS timestamptz[]), CAST(:agency AS text[]), CAST(:unit AS text[]), "
    "CAST(:service_class AS text[]), CAST(:bounces AS smallint[]), CAST(:responded_at AS timestamptz[]), "
    f"CAST(:answered_at AS timestamptz[]), CAST(:clocks AS text[])) AS x ({_COLUMNS}) "
    "ON CONFLICT (case_id) DO UPDATE SET partition = EXCLUDED.partition, version = EXCLUDED.version, state = EXCLUDED.state, "
    "profile = EXCLUDED.profile, time_zone = EXCLUDED.time_zone, received_at = EXCLUDED.received_at, agency = EXCLUDED.agency, "
    "unit = EXCLUDED.unit, service_class = EXCLUDED.service_class, bounces = EXCLUDED.bounces, responded_at = EXCLUDED.responded_at, "
    "answered_at = EXCLUDED.answered_at, clocks = EXCLUDED.clocks"
)
_START = text(
    "INSERT INTO clock_run (case_id, clock, deadline_version, started_at, due_at, ended_at, outcome, working_days, agency, unit, "
    "service_class, provisional, profile, known_at) SELECT * FROM unnest(CAST(:case_id AS uuid[]), CAST(:clock AS text[]), "
    "CAST(:deadline_version AS smallint[]), CAST(:started_at AS timestamptz[]), CAST(:due_at AS timestamptz[]), "
    "CAST(:ended_at AS timestamptz[]), CAST(:outcome AS text[]), CAST(:working_days AS integer[]), CAST(:agency AS text[]), "
    "CAST(:unit AS text[]), CAST(:service_class AS text[]), CAST(:provisional AS boolean[]), CAST(:profile AS text[]), "
    "CAST(:known_at AS timestamptz[])) "
    "ON CONFLICT DO NOTHING"
)
_ARM = text(
    "INSERT INTO checkpoint (case_id, clock, deadline_version, level, partition, fire_at, held) SELECT * FROM unnest("
    "CAST(:case_id AS uuid[]), CAST(:clock AS text[]), CAST(:deadline_version AS smallint[]), CAST(:level AS text[]), "
    "CAST(:partition AS integer[]), CAST(:fire_at AS timestamptz[]), CAST(:held AS boolean[])) ON CONFLICT DO NOTHING"
)
_END = text(
    "UPDATE clock_run AS r SET ended_at = x.ended_at, outcome = x.outcome, working_days = x.working_days FROM unnest("
    "CAST(:case_id AS uuid[]), CAST(:clock AS text[]), CAST(:deadline_version AS smallint[]), CAST(:ended_at AS timestamptz[]), "
    "CAST(:outcome AS text[]), CAST(:working_days AS integer[])) AS x (case_id, clock, deadline_version, ended_at, outcome, working_days) "
    "WHERE r.case_id = x.case_id AND r.clock = x.clock AND r.deadline_version = x.deadline_version"
)
_DISARM = text(
    "DELETE FROM checkpoint AS c USING unnest(CAST(:case_id AS uuid[]), CAST(:clock AS text[]), CAST(:ended_at AS timestamptz[]), "
    "CAST(:withdraws_end AS boolean[])) AS x (case_id, clock, ended_at, withdraws_end) "
    "WHERE c.case_id = x.case_id AND c.clock = x.clock AND (c.fire_at >= x.ended_at OR c.held OR (x.withdraws_end AND c.level = 'missed'))"
)
_HOLD = text(
    "UPDATE checkpoint AS c SET held = x.held FROM unnest(CAST(:case_id AS uuid[]), CAST(:clock AS text[]), CAST(:held AS boolean[]), "
    "CAST(:since AS timestamptz[])) AS x (case_id, clock, held, since) "
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
            await connection.execute(_SAVE, case_arrays(states))
        steps = [row for row in rows if isinstance(row, Started | Ended | Held)]
        if steps:
            await self._save_steps(connection, fold(steps))
            self._count(steps)

    async def _save_steps(self, connection: AsyncConnection, folded: Folded) -> None:
        for holds in (folded.releases, folded.holds):
            if holds:
                names = ("case_id", "clock", "held", "since")
                await connection.execute(_HOLD, {name: [getattr(hold, name) for hold in holds.values()] for name in names})
        if folded.ends:
            await connection.execute(_END, end_arrays(folded.ends))
            await connection.execute(_DISARM, disarm_arrays(folded.ends))
        if folded.new:
            await connection.execute(_START, start_arrays(list(folded.new.values())))
            armed = arm_arrays(folded.new.values())
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
