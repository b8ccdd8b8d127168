"""The cases topic with one case on it, and two services in memory: triage, and a dispatch that keeps the same rules."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tests.support.memory_topics import MemoryTopics, Message, run
from tests.unit.triage.builders import CASE_ID, LATER, NOON, FakeRegister, a_register, handlers, returned
from triage.application.handlers import Handlers
from triage.domain.case import Case
from triage.entrypoints.subscriptions import cases
from triage.metrics import METRICS
from tuntas_chassis.clock import SystemClock
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.memory.broker import MemoryBroker
from tuntas_chassis.messaging.memory.database import MemoryDatabase, Tables
from tuntas_chassis.messaging.memory.service import KeptInMemory, MemoryService
from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.cases import CaseForwarded, CaseReturned, InputRefused, WindowElapsed
from tuntas_contracts.topology import CASES, INPUTS
from tuntas_contracts.vocabulary import CaseState, Service

KEY = str(CASE_ID)


class Topic:
    """Records in order; one id may lie on it more than once."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self._topic = MemoryTopics(self.broker, CASES.name)

    def __len__(self) -> int:
        return len(self.broker.topics[CASES.name][0])

    def append(self, message_id: UUID, source: Service, body: CaseEvent | InputEvent) -> None:
        """Publish."""
        self._topic.append(Message(message_id, source, CASES.name, KEY, body.occurred_at, body))

    def history(self) -> list[Message]:
        """The owner's events, each id once, as a reader with an inbox sees them."""
        seen: dict[UUID, Message] = {}
        for message in self._topic.messages():
            if isinstance(message.body, CaseEvent):
                seen.setdefault(message.id, message)
        return list(seen.values())


async def _nothing_to_load() -> None:
    """The register is in the test's hands."""


class Triage:
    """The real handlers and subscription on the delivery core in memory."""

    def __init__(self, topic: Topic, register: FakeRegister | None = None) -> None:
        self.store = KeptInMemory()
        self.service = MemoryService(Service.TRIAGE, topic.broker, MemoryDatabase(), metrics=METRICS)
        self.handlers: Handlers = handlers(register or a_register())
        self.service.subscribe(cases(self.handlers, self.store, self.service.metrics, _nothing_to_load))
        run(self.service.start())

    @property
    def db(self) -> Tables:
        """All that triage keeps."""
        return self.service.database.tables

    @property
    def case(self) -> Case | None:
        """The case as it is stored."""
        found: Case | None = self.db.states.get(self.store, {}).get(KEY)
        return found

    def put_back(self, backup: Tables) -> None:
        """The database knows only this, and the process begins anew."""
        self.service.database.tables = backup.copy()
        self.restart()

    def forgotten(self) -> Tables:
        """What it keeps, without what the delivery core remembers."""
        return replace(self.db.copy(), positions={}, inbox=set())

    def restart(self) -> None:
        """Begin to read where the database says."""
        self.service.restart()
        run(self.service.start())

    @property
    def caught_up(self) -> bool:
        """Whether all that lay on the topic at the start is read."""
        return self.service.caught_up()

    def read(self) -> None:
        """One record, if there is one."""
        run(self.service.read("cases", 1))

    def release(self) -> None:
        """Decide on inputs that were held, once all is read that lay on the topic."""
        run(self.service.look_round())

    def execute(self, decide: Callable[[Handlers, Case], Outcome[Case]]) -> None:
        """A command by HTTP; raises what the decision raises."""

        def on_case(case: Case | None, _now: datetime) -> Outcome[Case]:
            assert case is not None
            return decide(self.handlers, case)

        s = self.service
        run(CommandExecutor(self.store, s.tables, s.outbox, s.clock, s.caught_up).execute(KEY, on_case))

    def relay(self, *, keep: bool = False) -> None:
        """Publish the oldest unsent message; `keep`: the relay dies before it can delete it."""
        run(self.service.relay(1, dies_before_deleting=keep))


@dataclass(frozen=True)
class Held:
    """The case as dispatch has it."""

    version: int = 0
    owner: bool = False
    topic_owner: bool = False
    agency: str = ""
    bounces: int = 0
    arbitrated: bool = False


class Dispatch:
    """The other owner, reduced to hand-overs and inputs."""

    def __init__(self, topic: Topic) -> None:
        self.store = KeptInMemory()
        self.service = MemoryService(Service.DISPATCH, topic.broker, MemoryDatabase())
        self.service.subscribe(
            Subscription(
                name="cases",
                topics=[CASES.name],
                types=[CaseForwarded, CaseReturned, *INPUTS],
                track_own=[CaseReturned, *INPUTS],
                store=self.store,
                apply=_on_message,
            )
        )
        run(self.service.start())

    @property
    def case(self) -> Held:
        """The case, whether it ever came or not."""
        found: Held = self.service.database.tables.states.get(self.store, {}).get(KEY, Held())
        return found

    def read(self) -> None:
        """One record, if there is one."""
        run(self.service.read("cases", 1))

    def send_back(self) -> None:
        """T10, unless the case is not here or an arbitration bound the agency."""
        s = self.service
        run(CommandExecutor[Held](self.store, s.tables, s.outbox, SystemClock(), lambda: True).execute(KEY, _return))

    def relay(self) -> None:
        """Publish the oldest unsent message."""
        run(self.service.relay(1))


def _on_message(stored: Held | None, message: Incoming) -> Outcome[Held]:
    case = stored or Held()
    match message.body:
        case CaseForwarded() as event if event.version > case.version:
            taken = Held(event.version, True, True, event.agency, event.bounces, event.arbitrated)
            return Outcome(taken)
        case CaseReturned():
            return Outcome(replace(case, topic_owner=False))
        case WindowElapsed():
            return Outcome(None)
        case InputEvent() as body if case.topic_owner:
            if not case.owner:
                return Outcome(None, (Outgoing(CASES.name, KEY, body, NOON),))
            answer = InputRefused(
                case_id=CASE_ID,
                version=case.version + 1,
                occurred_at=NOON,
                state=CaseState.AT_AGENCY,
                owner=Service.DISPATCH,
                input_id=body.input_id,
                code="not_answered",
                detail="-",
            )
            return Outcome(replace(case, version=case.version + 1), (Outgoing(CASES.name, KEY, answer, NOON),), handled=(body.input_id,))
    return Outcome(None)


def _return(stored: Held | None, _now: datetime) -> Outcome[Held]:
    case = stored or Held()
    if not case.owner or case.arbitrated:
        return Outcome(None)
    version = case.version + 1
    event = returned(version, case.bounces + 1, agency=case.agency)
    message = Outgoing(CASES.name, KEY, event, LATER, derive_id(CASE_ID, "returned", version))
    return Outcome(replace(case, version=version, owner=False), (message,))
