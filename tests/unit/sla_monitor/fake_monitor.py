"""The SLA monitor in memory: the real decisions on dictionaries, consuming a topic record by record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sla_monitor.application.handlers import Fired, Handlers, announce, in_order
from sla_monitor.application.watermarks import Watermark, advanced
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, RunOutcome, Started
from sla_monitor.domain.clocks import ClockMachine
from sla_monitor.domain.deadlines import Checkpoint, notice_of
from tests.unit.sla_monitor.builders import PLANNER
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.messages import Incoming, Outgoing
from tuntas_contracts.base import CaseEvent, Contract, InputEvent
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Clock
from tuntas_contracts.watermarks import PartitionWatermark, WatermarkAdvanced

SOURCES = ("intake", "triage", "dispatch")
RunKey = tuple[UUID, Clock, int]


@dataclass
class Armed:
    """A checkpoint that has not fired."""

    key: RunKey
    checkpoint: Checkpoint
    held: bool = False


@dataclass
class FakeMonitor:
    """Consumes at its own pace; `told` is what it published, in order."""

    states: dict[str, CaseClocks] = field(default_factory=dict)
    runs: dict[RunKey, Started] = field(default_factory=dict)
    outcomes: dict[RunKey, RunOutcome] = field(default_factory=dict)
    armed: list[Armed] = field(default_factory=list)
    told: list[Outgoing] = field(default_factory=list)
    watermarks: list[Watermark] = field(default_factory=list)
    position: int = 0
    handlers: Handlers = field(default_factory=lambda: Handlers(ClockMachine(PLANNER), PLANNER.calendar.version))

    def read(self, body: Contract, offset: int = 0) -> None:
        """Take in a watermark, or the record of the cases topic at `offset`."""
        message = incoming(body, offset)
        if isinstance(body, WatermarkAdvanced):
            self.watermarks += [row for row in advanced(None, message).rows if isinstance(row, Watermark)]
            return
        self.position = max(self.position, offset + 1)
        key = message.key
        outcome = self.handlers.apply(self.states.get(key), message)
        if outcome.state is not None:
            self.states[key] = outcome.state
        for row in outcome.rows:
            self._write(row)
        self.told.extend(outcome.outgoing)

    def _write(self, row: object) -> None:
        match row:
            case Started():
                key = (row.case_id, row.run.clock, row.run.deadline_version)
                assert key not in self.runs
                self.runs[key] = row
                self.outcomes[key] = RunOutcome.RUNNING
                self.armed += [Armed(key, checkpoint) for checkpoint in row.checkpoints]
            case Ended():
                self.outcomes[row.case_id, row.clock, row.deadline_version] = row.outcome
                self.armed = [a for a in self.armed if not (self._of(a, row) and row.drops(a.checkpoint, held=a.held))]
            case Held():
                for armed in self.armed:
                    if self._of(armed, row) and armed.checkpoint.fire_at >= row.since:
                        armed.held = row.held
            case _:
                raise AssertionError(row)

    def _of(self, armed: Armed, row: Ended | Held) -> bool:
        return armed.key[0] == row.case_id and armed.key[1] is row.clock

    def fire(self, now: datetime) -> list[Outgoing]:
        """Tell what is due at `now` behind the lowest watermark whose end offset is read."""
        reached = {w.source: w.at for w in sorted(self.watermarks, key=lambda w: w.at) if w.end_offset <= self.position}
        if set(reached) != set(SOURCES):
            return []
        floor = min(reached.values())
        due = [a for a in self.armed if a.checkpoint.fire_at < floor and a.checkpoint.fire_at <= now and not a.held]
        self.armed = [a for a in self.armed if a not in due]
        fired = []
        for item in due:
            run = self.runs[item.key]
            c = item.checkpoint
            fired.append(
                Fired(
                    item.key[0],
                    run.profile,
                    c.clock,
                    c.level,
                    item.key[2],
                    c.fire_at,
                    run.run.due_at,
                    run.agency,
                    run.unit,
                    run.service_class,
                )
            )
            notice = notice_of(run.profile, c.clock, c.level)
            if notice.ends and not notice.elapses and self.outcomes[item.key] is RunOutcome.RUNNING:
                self.outcomes[item.key] = RunOutcome.MISSED
        found = [announcement.message for announcement in in_order(map(announce, fired))]
        self.told.extend(found)
        return found

    def case(self, case_id: UUID) -> CaseClocks:
        """The clocks of a case."""
        return self.states[str(case_id)]

    def outcomes_by_name(self) -> Mapping[str, str]:
        """ "C2.1" -> how that run stands."""
        return {f"{clock.value}.{number}": outcome.value for (_, clock, number), outcome in self.outcomes.items()}


def incoming(body: Contract, offset: int = 0) -> Incoming:
    """A body as it comes from the topic."""
    if isinstance(body, WatermarkAdvanced):
        key, time = "", body.partitions[0].at
    else:
        assert isinstance(body, CaseEvent | InputEvent)
        key, time = str(body.case_id), body.occurred_at
    envelope = Envelope(new_id(), "dispatch", type(body).__name__, key, time)
    return Incoming(envelope, key, body, CASES.name, 7, offset, time)


def watermarks(at: datetime, end_offset: int = 0) -> list[WatermarkAdvanced]:
    """A watermark of every source."""
    partition = PartitionWatermark(partition=7, at=at, end_offset=end_offset)
    return [WatermarkAdvanced(source=source, partitions=(partition,)) for source in SOURCES]
