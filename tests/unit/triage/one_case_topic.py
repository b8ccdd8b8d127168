"""The cases topic with one case on it, triage as the delivery core drives it, and a dispatch that keeps the same rules."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from tests.unit.triage.builders import CASE_ID, NOON, STARTED, FakeRegister, a_register, an_id, handlers, incoming, returned
from triage.application.handlers import Handlers
from triage.domain.case import Case
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.messages import Outcome
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.cases import CaseForwarded, CaseReturned, InputRefused, WindowElapsed
from tuntas_contracts.vocabulary import CaseState, Service

TRACKED = (CaseForwarded, InputEvent)


@dataclass(frozen=True)
class Record:
    """A record of the topic."""

    id: UUID
    source: Service
    body: CaseEvent | InputEvent


def appended_at(offset: int) -> datetime:
    """When the record at that offset was appended."""
    return STARTED + timedelta(seconds=offset)


@dataclass(frozen=True)
class TriageDatabase:
    """All that triage keeps, so that a backup is one assignment."""

    case: Case | None = None
    position: int = 0
    inbox: frozenset[UUID] = frozenset()
    handled: frozenset[UUID] = frozenset()
    held: tuple[Record, ...] = ()
    outbox: tuple[Record, ...] = ()

    def forgotten(self) -> "TriageDatabase":
        """The same without what the delivery core remembers."""
        return replace(self, position=0, inbox=frozenset(), handled=frozenset())


@dataclass
class Topic:
    """Records in order; `duplicate` ids may lie on it more than once."""

    records: list[Record] = field(default_factory=list)

    def append(self, record: Record) -> None:
        """Publish."""
        self.records.append(record)

    def history(self) -> list[Record]:
        """The owner's events, each id once, as a reader with an inbox sees them."""
        seen: dict[UUID, Record] = {}
        for record in self.records:
            if isinstance(record.body, CaseEvent):
                seen.setdefault(record.id, record)
        return list(seen.values())


class Triage:
    """The real handlers behind what the delivery core does around them."""

    def __init__(self, topic: Topic, register: FakeRegister | None = None) -> None:
        self.topic = topic
        self.db = TriageDatabase()
        self._register = register or a_register()
        self._commands = 0
        self.restart()

    def restart(self) -> None:
        """Begin to read where the database says."""
        self.replay_until = len(self.topic.records)
        self._read_up_at = self.replay_until
        self._unsent = {record.id for record in self.db.outbox}
        self.handlers: Handlers = handlers(self._register)

    @property
    def caught_up(self) -> bool:
        """Whether all that lay on the topic at the start is read."""
        return self.db.position >= self.replay_until

    def _read_up(self) -> bool:
        """Whether it has also read back what it had not sent yet at the start."""
        if self._unsent and not self._unsent & {record.id for record in self.db.outbox}:
            self._unsent = set()
            self._read_up_at = len(self.topic.records)
        return not self._unsent and self.db.position >= self._read_up_at

    def read(self) -> None:
        """One record, if there is one."""
        if self.db.position >= len(self.topic.records):
            return
        offset = self.db.position
        record = self.topic.records[offset]
        catching_up = not self._read_up()
        self.db = replace(self.db, position=offset + 1)
        own = record.source is Service.TRIAGE
        replayed = own and catching_up
        if own and not replayed and not isinstance(record.body, TRACKED):
            return
        if catching_up and isinstance(record.body, CaseEvent):
            self.db = replace(self.db, held=tuple(held for held in self.db.held if held.body.input_id != record.body.input_id))
        if record.id in self.db.inbox:
            return
        self.db = replace(self.db, inbox=self.db.inbox | {record.id})
        if isinstance(record.body, InputEvent) and record.body.input_id in self.db.handled:
            return
        message = incoming(
            record.body,
            source=record.source,
            catching_up=catching_up,
            replayed=replayed,
            message_id=record.id,
            appended_at=appended_at(offset),
        )
        outcome = self.handlers.apply(self.db.case, message)
        if outcome.hold:
            self.db = replace(self.db, held=tuple(dict.fromkeys((*self.db.held, record))))
        self._commit(outcome, record.id)

    def release(self) -> None:
        """Decide on the oldest input that was held, once all is read that lay on the topic."""
        if not self._read_up() or not self.db.held:
            return
        first, *rest = self.db.held
        self.db = replace(self.db, held=tuple(rest))
        assert isinstance(first.body, InputEvent)
        if first.body.input_id not in self.db.handled:
            message = incoming(first.body, source=first.source, held=True, message_id=first.id)
            self._commit(self.handlers.apply(self.db.case, message), first.id)

    def execute(self, decide: Callable[[Handlers, Case], Outcome[Case]]) -> None:
        """A command by HTTP; raises what the decision raises."""
        assert self.db.case is not None
        self._commands += 1
        self._commit(decide(self.handlers, self.db.case), an_id(f"request-{self._commands}"))

    def relay(self, *, keep: bool = False) -> None:
        """Publish the oldest unsent message; `keep`: the relay dies before it can delete it."""
        if self.db.outbox:
            first, *rest = self.db.outbox
            self.topic.append(first)
            if not keep:
                self.db = replace(self.db, outbox=tuple(rest))

    def _commit(self, outcome: Outcome[Case], cause: UUID) -> None:
        made: list[Record] = []
        for number, message in enumerate(outcome.outgoing):
            assert isinstance(message.body, CaseEvent | InputEvent)
            made.append(Record(derive_id(cause, number, type(message.body).__name__), Service.TRIAGE, message.body))
        self.db = replace(
            self.db,
            case=outcome.state or self.db.case,
            handled=self.db.handled | set(outcome.handled),
            outbox=(*self.db.outbox, *made),
        )


@dataclass
class Dispatch:
    """The other owner, reduced to hand-overs and inputs."""

    topic: Topic
    position: int = 0
    version: int = 0
    owner: bool = False
    topic_owner: bool = False
    agency: str = ""
    bounces: int = 0
    arbitrated: bool = False
    inbox: set[UUID] = field(default_factory=set)
    handled: set[UUID] = field(default_factory=set)
    outbox: list[Record] = field(default_factory=list)

    def read(self) -> None:
        """One record, if there is one."""
        if self.position >= len(self.topic.records):
            return
        record = self.topic.records[self.position]
        self.position += 1
        if record.id in self.inbox:
            return
        self.inbox.add(record.id)
        match record.body:
            case CaseForwarded() as event if event.version > self.version:
                self.version, self.owner, self.topic_owner = event.version, True, True
                self.agency, self.bounces, self.arbitrated = event.agency, event.bounces, event.arbitrated
            case CaseReturned():
                self.topic_owner = False
            case InputEvent() as body if self.topic_owner and body.input_id not in self.handled:
                self._input(record.id, body)

    def _input(self, cause: UUID, body: InputEvent) -> None:
        if isinstance(body, WindowElapsed):
            return
        if not self.owner:
            self.outbox.append(Record(derive_id(cause, "dispatch"), Service.DISPATCH, body))
            return
        self.version += 1
        self.handled.add(body.input_id)
        answer = InputRefused(
            case_id=CASE_ID,
            version=self.version,
            occurred_at=NOON,
            state=CaseState.AT_AGENCY,
            owner=Service.DISPATCH,
            input_id=body.input_id,
            code="not_answered",
            detail="-",
        )
        self.outbox.append(Record(derive_id(cause, "answer"), Service.DISPATCH, answer))

    def send_back(self) -> None:
        """T10, unless the case is not here or an arbitration bound the agency."""
        if self.owner and not self.arbitrated:
            self.version += 1
            self.owner = False
            event = returned(self.version, self.bounces + 1, agency=self.agency)
            self.outbox.append(Record(derive_id(CASE_ID, "returned", self.version), Service.DISPATCH, event))

    def relay(self) -> None:
        """Publish the oldest unsent message."""
        if self.outbox:
            self.topic.append(self.outbox.pop(0))
