"""Dispatch's real handlers and subscriptions on the delivery core in memory, around one case."""

from datetime import datetime
from uuid import UUID, uuid4

from dispatch.application.handlers import Handlers
from dispatch.application.refusals import Refusals
from dispatch.domain.case import Case, CommandContext
from dispatch.domain.refusal_quota import RefusalQuota
from dispatch.entrypoints.subscriptions import subscriptions
from dispatch.metrics import METRICS
from dispatch.settings import Settings
from tests.support.memory_topics import MemoryTopics, Message, run
from tests.support.names import NAME_KEY, NAMES
from tests.unit.dispatch.builders import NOON, UNITS
from tuntas_chassis.clock import SystemClock
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.messaging.memory.broker import MemoryBroker
from tuntas_chassis.messaging.memory.database import MemoryDatabase
from tuntas_chassis.messaging.memory.service import KeptInMemory, MemoryService, memory_settings
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import CaseEvent, Contract, InputEvent
from tuntas_contracts.cases import ReporterErased
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import Service


class KnownUnits:
    """A register of two agencies."""

    def units_of(self, agency: str) -> frozenset[str]:
        return UNITS.get(agency, frozenset())


def make_handlers(refusals_per_minute: int = 1_000_000) -> tuple[Handlers, Refusals, MetricSet]:
    metrics = MetricSet((*CHASSIS_METRICS, *METRICS))
    refusals = Refusals(RefusalQuota(refusals_per_minute, lambda: 0.0), SystemClock(), metrics)
    return Handlers(KnownUnits(), refusals, metrics, NAMES), refusals, metrics


def incoming(body: Contract, topic: str, at: datetime, message_id: UUID | None = None, source: str = "test", offset: int = 0) -> Incoming:
    case_id = str(getattr(body, "case_id", ""))
    envelope = Envelope(message_id or uuid4(), source, type(body).__name__, case_id, at)
    writer = AGENCY_ACTIONS.agency_of(topic) if isinstance(body, AgencyCommand) else ""
    return Incoming(envelope, case_id, body, topic, 0, offset, at, writer=writer)


async def _nothing_to_load() -> None:
    """The register is in the test's hands."""


class Delivery:
    """One case, one dispatch, which publishes at once what it decides; `cases` and `agencies` are what has been published."""

    def __init__(self, other: "Delivery | None" = None, case: Case | None = None) -> None:
        """With the cases topic of `other` as it lies, and a database that knows no more than `case`."""
        self.broker: MemoryBroker = MemoryBroker(now_ms=_ms(NOON) if other is None else other.broker.now_ms)
        self._cases = MemoryTopics(self.broker, CASES.name)
        self._agencies = MemoryTopics(self.broker, *(AGENCY_CASES.for_agency(agency) for agency in UNITS))
        self._actions = MemoryTopics(self.broker, *(AGENCY_ACTIONS.for_agency(agency) for agency in UNITS))
        self._repeats: set[int] = set()
        if other is not None:
            self.broker.topics[CASES.name] = [list(log) for log in other.broker.topics[CASES.name]]
            self._repeats = set(other._repeats)
        self._store = KeptInMemory()
        self._handlers, refusals, metrics = make_handlers()
        self.service = MemoryService(Service.DISPATCH, self.broker, MemoryDatabase(), settings=_SETTINGS, metrics=metrics)
        if case is not None:
            self.service.database.tables.states[self._store] = {str(case.case_id): case}
        for subscription in subscriptions(self._store, self._handlers, refusals, _SETTINGS, _nothing_to_load):
            self.service.subscribe(subscription)
        run(self.service.start())

    @property
    def case(self) -> Case | None:
        """The case as it is stored."""
        found: Case | None = next(iter(self.service.database.tables.states.get(self._store, {}).values()), None)
        return found

    @property
    def cases(self) -> list[Message]:
        """The cases topic, without what `repeat` put there."""
        return [message for offset, message in enumerate(self._cases.messages()) if offset not in self._repeats]

    def read_cases(self) -> list[Message]:
        """As much of it as dispatch has read."""
        return [message for offset, message in enumerate(self._cases.messages()[: self.read]) if offset not in self._repeats]

    @property
    def agencies(self) -> list[Message]:
        """What the agencies were sent."""
        return self._agencies.messages()

    @property
    def handled(self) -> set[UUID]:
        """The inputs and commands that were answered."""
        return self.service.database.tables.handled()

    @property
    def read(self) -> int:
        """How much of the cases topic is read."""
        return self.service.database.tables.positions.get(("dispatch.cases", (CASES.name, 0)), 0)

    def append(self, body: Contract, source: str, message_id: UUID | None = None) -> None:
        """Another service publishes on the cases topic."""
        assert isinstance(body, CaseEvent | InputEvent | ReporterErased)
        self._cases.append(Message(message_id or uuid4(), source, CASES.name, str(body.case_id), body.occurred_at, body))

    def repeat(self, message: Message) -> None:
        """The same message comes once more, and is read with all before it."""
        while self.read_next():
            pass
        self._repeats.add(len(self._cases.messages()))
        self._cases.append(message)

    def read_next(self) -> bool:
        """Dispatch reads the next message of the cases topic."""
        was_there = run(self.service.read("cases", 1)) > 0
        self._publish()
        return was_there

    def release(self) -> None:
        """All is read that lay on the topic: what was held is given again."""
        run(self.service.look_round())
        self._publish()

    def command(self, command: AgencyCommand, agency: str, at: datetime, message_id: UUID) -> None:
        """An agency's system sends a command."""
        self.broker.now_ms = _ms(at)
        topic = AGENCY_ACTIONS.for_agency(agency)
        self._actions.append(Message(message_id, f"agency-{agency}", topic, str(command.case_id), at, command))
        assert run(self.service.read("actions")) == 1
        self._publish()

    def http(self, command: AgencyCommand, act: CommandContext) -> None:
        """An officer's request; raises Refusal."""

        def decide(case: Case | None, _now: datetime) -> Outcome[Case]:
            return self._handlers.on_command(case, command, act, source="http")

        s = self.service
        executor = CommandExecutor[Case](self._store, s.tables, s.outbox, s.clock, lambda: True)
        run(executor.execute(str(command.case_id), decide, command_id=act.input_id))
        self._publish()

    def _publish(self) -> None:
        run(self.service.relay())
        assert [row["error"] for row in self.service.database.tables.dead_letters.rows.values()] == []


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


_SETTINGS = memory_settings(Settings, name_keys=NAME_KEY)
