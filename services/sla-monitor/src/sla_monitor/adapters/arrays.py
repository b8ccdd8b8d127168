"""Domain objects as columns: one array per column, for statements that write a whole batch at once."""

from collections.abc import Iterable, Sequence

from sla_monitor.adapters.clock_codec import write_clocks
from sla_monitor.adapters.folding import NewRun
from sla_monitor.domain.case_clocks import CaseClocks, Ended, RunOutcome
from tuntas_contracts.vocabulary import Clock

CASE_COLUMNS = (
    "case_id",
    "partition",
    "version",
    "state",
    "profile",
    "time_zone",
    "received_at",
    "agency",
    "unit",
    "service_class",
    "bounces",
    "responded_at",
    "answered_at",
)
Columns = dict[str, list[object]]


def case_arrays(states: Sequence[CaseClocks]) -> Columns:
    """Cases as columns of `case_clocks`."""
    arrays: Columns = {name: [getattr(state, name) for state in states] for name in CASE_COLUMNS}
    arrays["clocks"] = [write_clocks(state) for state in states]
    return arrays


def start_arrays(runs: Sequence[NewRun]) -> Columns:
    """New runs as columns of `clock_run`."""
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
        "profile": [n.start.profile for n in runs],
        "known_at": [n.start.known_at for n in runs],
    }


def arm_arrays(runs: Iterable[NewRun]) -> Columns:
    """The checkpoints of new runs as columns of `checkpoint`."""
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


def end_arrays(ends: Sequence[Ended]) -> Columns:
    """How older runs ended, as columns of `clock_run`."""
    names = ("case_id", "clock", "deadline_version", "ended_at", "outcome", "working_days")
    return {name: [getattr(end, name) for end in ends] for name in names}


def disarm_arrays(ends: Sequence[Ended]) -> Columns:
    """What tells which checkpoints of ended runs fall away."""
    # the monitoring warning C5 hangs on C4
    found = [(end, clock) for end in ends for clock in ((Clock.C4, Clock.C5) if end.clock is Clock.C4 else (end.clock,))]
    return {
        "case_id": [end.case_id for end, _ in found],
        "clock": [clock for _, clock in found],
        "ended_at": [end.ended_at for end, _ in found],
        "withdraws_end": [end.withdraws_end for end, _ in found],
    }
