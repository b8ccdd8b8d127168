"""The state of one case's clocks, and the steps by which it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from sla_monitor.domain.deadlines import Checkpoint
from tuntas_contracts.vocabulary import CaseState, Clock, ServiceClass, WarningLevel


class RunOutcome(StrEnum):
    """How one run of a clock stands or ended."""

    RUNNING = "running"
    MET = "met"
    MET_LATE = "met_late"
    STOPPED = "stopped"  # ended in time without being met
    MISSED = "missed"  # ran out and was not met since
    ELAPSED = "elapsed"  # a window that ran out, as windows may


class Running(NamedTuple):
    """A clock that runs. `deadline_version` counts each time this clock was set for the case."""

    clock: Clock
    deadline_version: int
    started_at: datetime
    due_at: datetime


class CaseClocks(NamedTuple):
    """What the SLA monitor knows of one case.

    `held_by` are inputs of the reporter accepted within a window that the owner of the case has not decided on yet: while there is one,
    it does not elapse. `refused` are those that it refused, lest a repeat holds it again. `responded_at` is the first T5, T14 or T15,
    `answered_at` the first T15.
    """

    case_id: UUID
    partition: int
    version: int
    state: CaseState
    profile: str
    time_zone: str
    received_at: datetime
    agency: str | None = None
    unit: str | None = None
    service_class: ServiceClass | None = None
    bounces: int = 0
    responded_at: datetime | None = None
    answered_at: datetime | None = None
    running: tuple[Running, ...] = ()
    deadline_versions: Mapping[Clock, int] = MappingProxyType({})
    held_by: tuple[UUID, ...] = ()
    refused: tuple[UUID, ...] = ()

    def clock(self, clock: Clock) -> Running | None:
        """The run of that clock, if it runs."""
        for run in self.running:
            if run.clock is clock:
                return run
        return None


class Started(NamedTuple):
    """A clock started. Without `announced` it was met in the same moment and nobody needs a notice of its end.

    `known_at` is when the platform learnt of it, where that is later than the start: the report was entered late.
    """

    case_id: UUID
    partition: int
    run: Running
    profile: str
    agency: str | None
    unit: str | None
    service_class: ServiceClass | None
    provisional: bool = False
    checkpoints: tuple[Checkpoint, ...] = ()
    announced: bool = True
    known_at: datetime | None = None


class Ended(NamedTuple):
    """A clock ended at `ended_at` (business time).

    Its checkpoints from then on are dropped, and those that are held; earlier ones still fire, so that announcements depend on business
    time alone and never on how late an event was read. `withdraws_end`: the owner has decided on a window, whose end says nothing more.
    `working_days` counts those from the local day of the start to that of the end.
    """

    case_id: UUID
    clock: Clock
    deadline_version: int
    ended_at: datetime
    outcome: RunOutcome
    working_days: int
    withdraws_end: bool = False

    def drops(self, checkpoint: Checkpoint, *, held: bool) -> bool:
        """Whether a checkpoint of this clock falls away."""
        return checkpoint.fire_at >= self.ended_at or held or (self.withdraws_end and checkpoint.level is WarningLevel.MISSED)


@dataclass(frozen=True, slots=True)
class Held:
    """The checkpoints of a running clock from `since` on wait (`held`), or wait no longer."""

    case_id: UUID
    clock: Clock
    held: bool
    since: datetime


Step = Started | Ended | Held
