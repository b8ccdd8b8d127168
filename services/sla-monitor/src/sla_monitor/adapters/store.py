"""Reads and writes the clocks of many cases at once: a handful of statements per batch, whatever its size."""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.adapters.clock_codec import read_clocks, write_clocks
from sla_monitor.adapters.folding import Folded, NewRun, fold, last_holds
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, RunOutcome, Started
from sla_monitor.handlers import PartitionMarks, State, is_mark_key
from sla_monitor.metrics import ARMED, ENDED
from tuntas_chassis.metrics import MetricSet
from tuntas_contracts.vocabulary import CaseState, Clock, ServiceClass

_COLUMNS = (
    "case_id, partition, version, state, profile, time_zone, received_at, agency, unit, service_class, bounces, responded_at, "
    "answered_at, clocks"
)
_LOAD = text(f"SELECT {_COLUMNS} FROM case_clocks WHERE case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id FOR UPDATE")
_SAVE = text(
    f"INSERT INTO case_clocks ({_COLUMNS}) SELECT case_id, partition, version, state, profile, time_zone, received_at, agency, unit, "
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
    "service_class, provisional) SELECT * FROM unnest(CAST(:case_id AS uuid[]), CAST(:clock AS text[]), "
    "CAST(:deadline_version AS smallint[]), CAST(:started_at AS timestamptz[]), CAST(:due_at AS timestamptz[]), "
    "CAST(:ended_at AS timestamptz[]), CAST(:outcome AS text[]), CAST(:working_days AS integer[]), CAST(:agency AS text[]), "
    "CAST(:unit AS text[]), CAST(:service_class AS text[]), CAST(:provisional AS boolean[])) ON CONFLICT DO NOTHING"
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
_MARK = text(
    "INSERT INTO watermark AS w (partition, source, at, record_offset) SELECT * FROM unnest(CAST(:partition AS integer[]), "
    "CAST(:source AS text[]), CAST(:at AS timestamptz[]), CAST(:record_offset AS bigint[])) AS x (p, s, t, o) ORDER BY p, s "
    "ON CONFLICT (partition, source) DO UPDATE SET at = EXCLUDED.at, record_offset = EXCLUDED.record_offset WHERE w.at < EXCLUDED.at"
)


class ClockStore:
    """The chassis' store of case clocks and, under keys of their own, of the marks of partitions."""

    def __init__(self, metrics: MetricSet) -> None:
        self._metrics = metrics

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, State]:
        """Lock and read cases. Marks are only ever written; a key that is no case id has no state."""
        ids = [case_id for key in keys if not is_mark_key(key) and (case_id := _case_id(key)) is not None]
        if not ids:
            return {}
        rows = await connection.execute(_LOAD, {"ids": ids})
        return {str(row[0]): _read(row._tuple()) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[State], rows: Sequence[object]) -> None:
        """Write cases, marks and the steps in `rows`."""
        cases = [state for state in states if isinstance(state, CaseClocks)]
        marks = [mark for state in states if isinstance(state, PartitionMarks) for mark in state.marks]
        if cases:
            await connection.execute(_SAVE, _case_arrays(cases))
        steps = [row for row in rows if isinstance(row, Started | Ended | Held)]
        if steps:
            await self._save_steps(connection, fold(steps))
            self._count(steps)
        if marks:
            names = ("partition", "source", "at", "record_offset")
            await connection.execute(_MARK, {name: [getattr(mark, name) for mark in marks] for name in names})

    async def _save_steps(self, connection: AsyncConnection, folded: Folded) -> None:
        if folded.ends:
            await connection.execute(_END, _end_arrays(folded.ends))
            await connection.execute(_DISARM, _disarm_arrays(folded.ends))
        if folded.new:
            await connection.execute(_START, _start_arrays(list(folded.new.values())))
            armed = _arm_arrays(folded.new.values())
            if armed["case_id"]:
                await connection.execute(_ARM, armed)
        holds = last_holds(folded.holds)
        if holds:
            names = ("case_id", "clock", "held", "since")
            await connection.execute(_HOLD, {name: [getattr(hold, name) for hold in holds] for name in names})

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


def _read(row: Sequence[object]) -> CaseClocks:
    case_id, partition, version, state, profile, zone, received, agency, unit, service_class, bounces, responded, answered, clocks = row
    return CaseClocks(
        case_id=case_id,  # type: ignore[arg-type]
        partition=partition,  # type: ignore[arg-type]
        version=version,  # type: ignore[arg-type]
        state=CaseState(state),
        profile=profile,  # type: ignore[arg-type]
        time_zone=zone,  # type: ignore[arg-type]
        received_at=received,  # type: ignore[arg-type]
        agency=agency,  # type: ignore[arg-type]
        unit=unit,  # type: ignore[arg-type]
        service_class=ServiceClass(service_class) if service_class else None,
        bounces=bounces,  # type: ignore[arg-type]
        responded_at=responded,  # type: ignore[arg-type]
        answered_at=answered,  # type: ignore[arg-type]
        **read_clocks(str(clocks)),
    )


def _case_arrays(states: Sequence[CaseClocks]) -> dict[str, list[object]]:
    names = [name.strip() for name in _COLUMNS.split(",") if name.strip() != "clocks"]
    arrays: dict[str, list[object]] = {name: [getattr(state, name) for state in states] for name in names}
    arrays["clocks"] = [write_clocks(state) for state in states]
    return arrays


def _start_arrays(runs: Sequence[NewRun]) -> dict[str, list[object]]:
    return {
        "case_id": [n.start.case_id for n in runs],
        "clock": [n.start.run.clock for n in runs],
        "deadline_version": [n.start.run.deadline_version for n in runs],
        "started_at": [n.start.run.started_at for n in runs],
        "due_at": [n.start.run.due_at for n in runs],
        "ended_at": [n.end.ended_at if n.end else None for n in runs],
        "outcome": [n.end.outcome if n.end else RunOutcome.RUNNING for n in runs],
        "working_days": [n.end.working_days if n.end else None for n in runs],
        "agency": [n.start.agency for n in runs],
        "unit": [n.start.unit for n in runs],
        "service_class": [n.start.service_class for n in runs],
        "provisional": [n.start.provisional for n in runs],
    }


def _arm_arrays(runs: Iterable[NewRun]) -> dict[str, list[object]]:
    found = [(n.start, checkpoint, held) for n in runs for checkpoint, held in n.checkpoints]
    return {
        "case_id": [start.case_id for start, _, _ in found],
        "clock": [checkpoint.clock for _, checkpoint, _ in found],
        "deadline_version": [start.run.deadline_version for start, _, _ in found],
        "level": [checkpoint.level for _, checkpoint, _ in found],
        "partition": [start.partition for start, _, _ in found],
        "fire_at": [checkpoint.fire_at for _, checkpoint, _ in found],
        "held": [held for _, _, held in found],
    }


def _end_arrays(ends: Sequence[Ended]) -> dict[str, list[object]]:
    names = ("case_id", "clock", "deadline_version", "ended_at", "outcome", "working_days")
    return {name: [getattr(end, name) for end in ends] for name in names}


def _disarm_arrays(ends: Sequence[Ended]) -> dict[str, list[object]]:
    # the monitoring warning C5 hangs on C4
    found = [(end, clock) for end in ends for clock in ((Clock.C4, Clock.C5) if end.clock is Clock.C4 else (end.clock,))]
    return {
        "case_id": [end.case_id for end, _ in found],
        "clock": [clock for _, clock in found],
        "ended_at": [end.ended_at for end, _ in found],
        "withdraws_end": [end.withdraws_end for end, _ in found],
    }
