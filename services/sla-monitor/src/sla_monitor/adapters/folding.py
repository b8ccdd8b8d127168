"""Many steps of one batch, folded into as few row changes as they amount to: what began and ended in one batch arms nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sla_monitor.domain.case_clocks import Ended, Held, Started, Step
from sla_monitor.domain.deadlines import Checkpoint
from tuntas_contracts.vocabulary import Clock

RunKey = tuple[UUID, Clock, int]


@dataclass(slots=True)
class NewRun:
    """A clock that started in this batch, with its end if that came too, and the checkpoints that are left."""

    start: Started
    end: Ended | None = None
    checkpoints: list[tuple[Checkpoint, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Folded:
    """What a batch writes: of older runs first releases, then holds, then ends; after them the new runs.

    Only so does a hold meet the run that it was meant for, and not the next one of the same clock.
    """

    releases: dict[tuple[UUID, Clock], Held] = field(default_factory=dict)
    holds: dict[tuple[UUID, Clock], Held] = field(default_factory=dict)
    ends: list[Ended] = field(default_factory=list)
    new: dict[RunKey, NewRun] = field(default_factory=dict)


def fold(steps: Iterable[Step]) -> Folded:
    """The row changes of these steps, given in the order in which each case took them."""
    folded = Folded()
    last: dict[tuple[UUID, Clock], RunKey] = {}
    for step in steps:
        if isinstance(step, Started):
            key = (step.case_id, step.run.clock, step.run.deadline_version)
            folded.new[key] = NewRun(step, None, [(checkpoint, False) for checkpoint in step.checkpoints])
            last[step.case_id, step.run.clock] = key
        elif isinstance(step, Ended):
            run = folded.new.get((step.case_id, step.clock, step.deadline_version))
            if run is None:
                folded.ends.append(step)
            else:
                run.end = step
                run.checkpoints = [(c, held) for c, held in run.checkpoints if not step.drops(c, held=held)]
        else:
            key_of_run = last.get((step.case_id, step.clock))
            if key_of_run is None:
                _hold_older(folded, step)
            else:
                run = folded.new[key_of_run]
                run.checkpoints = [(c, step.held if c.fire_at >= step.since else held) for c, held in run.checkpoints]
    return folded


def _hold_older(folded: Folded, step: Held) -> None:
    key = (step.case_id, step.clock)
    if step.held:
        folded.holds[key] = step
    else:  # whatever this batch held before is free again
        folded.holds.pop(key, None)
        folded.releases[key] = step
