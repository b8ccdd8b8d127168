"""The SLA monitor on the delivery core in memory, with a stand-in for the tables of its clocks and for the loop that fires."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sla_monitor.application.handlers import Fired, Handlers, announce, in_order
from sla_monitor.application.watermarks import Watermark
from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, RunOutcome, Started
from sla_monitor.domain.clocks import ClockMachine
from sla_monitor.domain.deadlines import Checkpoint, notice_of
from sla_monitor.entrypoints.subscriptions import CONSUMER
from sla_monitor.entrypoints.subscriptions import cases as cases_subscription
from sla_monitor.entrypoints.subscriptions import watermarks as watermarks_subscription
from tests.support.memory_topics import MemoryTopics, Message, body_of, run
from tests.unit.sla_monitor.builders import PLANNER
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.memory.broker import MemoryBroker
from tuntas_chassis.messaging.memory.database import MemoryDatabase
from tuntas_chassis.messaging.memory.service import KeptInMemory, MemoryService, memory_settings
from tuntas_chassis.messaging.messages import Incoming, Outgoing
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.base import CaseEvent, Contract, InputEvent
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import CASES, WATERMARKS
from tuntas_contracts.vocabulary import Clock, Service
from tuntas_contracts.watermarks import PartitionWatermark, WatermarkAdvanced

SOURCES = ("intake", "triage", "dispatch")
PARTITION = 7
_SETTINGS = memory_settings(ServiceSettings)
RunKey = tuple[UUID, Clock, int]


@dataclass
class Armed:
    """A checkpoint that has not fired."""

    key: RunKey
    checkpoint: Checkpoint
    held: bool = False


class NotHandled(Exception):
    """The core put a message among its dead letters; says why."""


@dataclass
class FakeMonitor:
    """Reads what it is given, and sends nothing: what it would send waits in its outbox."""

    runs: dict[RunKey, Started] = field(default_factory=dict)
    outcomes: dict[RunKey, RunOutcome] = field(default_factory=dict)
    armed: list[Armed] = field(default_factory=list)
    watermarks: list[Watermark] = field(default_factory=list)
    handlers: Handlers = field(default_factory=lambda: Handlers(ClockMachine(PLANNER), PLANNER.calendar.version))

    def __post_init__(self) -> None:
        self._broker = MemoryBroker()
        self._broker.create(CASES.name, PARTITION + 1)
        self._topics = MemoryTopics(self._broker, CASES.name, WATERMARKS.name)
        self._database = MemoryDatabase()
        self._store = KeptInMemory()
        self._service = MemoryService(Service.SLA_MONITOR, self._broker, self._database, settings=_SETTINGS)
        self._service.subscribe(cases_subscription(self.handlers, self._store))
        self._service.subscribe(watermarks_subscription(KeptInMemory()))
        self._rows_read = 0
        self._announced: list[Message] = []

    @property
    def states(self) -> Mapping[str, CaseClocks]:
        """The clocks of every case."""
        return self._database.tables.states.get(self._store, {})

    @property
    def position(self) -> int:
        """How far the cases topic is read."""
        return self._database.tables.positions.get((CONSUMER, (CASES.name, PARTITION)), 0)

    @property
    def announced(self) -> Sequence[Message]:
        """What it published, in order."""
        for row in self._database.tables.outbox[len(self._announced) :]:
            body = body_of(row.type, row.value)
            self._announced.append(Message(row.message_id, Service.SLA_MONITOR, row.topic, row.key, row.time, body))
        return self._announced

    def read(self, body: Contract) -> None:
        """Take in the next watermark, or record of the cases topic; raises NotHandled."""
        if isinstance(body, WatermarkAdvanced):
            at = body.partitions[0].at
            self._topics.append(Message(new_id(), body.source, WATERMARKS.name, "", at, body))
        else:
            assert isinstance(body, CaseEvent | InputEvent)
            message = Message(new_id(), Service.DISPATCH, CASES.name, str(body.case_id), body.occurred_at, body)
            self._topics.append(message, PARTITION)
        run(self._read())
        for letter in self._database.tables.dead_letters.rows.values():
            raise NotHandled(f"{letter['error_type']}: {letter['error']}")
        for row in self._database.tables.rows[self._rows_read :]:
            self._write(row)
        self._rows_read = len(self._database.tables.rows)

    async def _read(self) -> None:
        for name in self._service.consumers:
            await self._service.read(name)

    def _write(self, row: object) -> None:
        match row:
            case Watermark():
                self.watermarks.append(row)
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
            started = self.runs[item.key]
            c = item.checkpoint
            fired.append(
                Fired(
                    item.key[0],
                    started.profile,
                    c.clock,
                    c.level,
                    item.key[2],
                    c.fire_at,
                    started.run.due_at,
                    started.agency,
                    started.unit,
                    started.service_class,
                )
            )
            notice = notice_of(started.profile, c.clock, c.level)
            if notice.ends and not notice.elapses and self.outcomes[item.key] is RunOutcome.RUNNING:
                self.outcomes[item.key] = RunOutcome.MISSED
        found = [announcement.message for announcement in in_order(map(announce, fired))]
        run(self._publish(found))
        return found

    async def _publish(self, messages: Sequence[Outgoing]) -> None:
        async with self._database.begin() as transaction:
            await transaction.publish(self._service.outbox, messages, [""] * len(messages))

    def case(self, case_id: UUID) -> CaseClocks:
        """The clocks of a case."""
        return self.states[str(case_id)]

    def outcomes_by_name(self) -> Mapping[str, str]:
        """ "C2.1" -> how that run stands."""
        return {f"{clock.value}.{number}": outcome.value for (_, clock, number), outcome in self.outcomes.items()}


def incoming(body: Contract, offset: int = 0) -> Incoming:
    """A body as it comes from the cases topic."""
    assert isinstance(body, CaseEvent | InputEvent)
    key, time = str(body.case_id), body.occurred_at
    envelope = Envelope(new_id(), "dispatch", type(body).__name__, key, time)
    return Incoming(envelope, key, body, CASES.name, PARTITION, offset, time)


def watermarks(at: datetime, end_offset: int = 0) -> list[WatermarkAdvanced]:
    """A watermark of every source."""
    partition = PartitionWatermark(partition=PARTITION, at=at, end_offset=end_offset)
    return [WatermarkAdvanced(source=source, partitions=(partition,)) for source in SOURCES]
