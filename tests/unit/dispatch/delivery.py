"""A delivery core in memory, with dispatch's real handlers on it: inbox, topics, batches of one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from dispatch.application.handlers import Handlers
from dispatch.application.refusals import Refusals
from dispatch.domain.case import Case, CommandContext
from dispatch.domain.refusal_quota import RefusalQuota
from dispatch.entrypoints.subscriptions import TRACKED_OWN
from dispatch.metrics import METRICS
from tests.support.names import NAMES
from tests.unit.dispatch.builders import UNITS
from tuntas_chassis.clock import SystemClock
from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import CaseEvent, Contract, InputEvent
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCY_ACTIONS, CASES
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


@dataclass(frozen=True)
class Entry:
    """A message on the cases topic."""

    id: UUID
    source: str
    body: Contract


@dataclass
class Delivery:
    """One case, one dispatch; `cases` and `agencies` are what has been published."""

    case: Case | None = None
    cases: list[Entry] = field(default_factory=list)
    agencies: list[Outgoing] = field(default_factory=list)
    inbox: set[UUID] = field(default_factory=set)
    handled: set[UUID] = field(default_factory=set)
    read: int = 0
    held: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handlers, self.refusals, self.metrics = make_handlers()

    def append(self, body: Contract, source: str, message_id: UUID | None = None) -> Entry:
        """Another service publishes on the cases topic."""
        entry = Entry(message_id or uuid4(), source, body)
        self.cases.append(entry)
        return entry

    def read_next(self, *, replaying: bool = False) -> bool:
        """Dispatch reads the next message of the cases topic."""
        if self.read >= len(self.cases):
            return False
        entry = self.cases[self.read]
        self.read += 1
        own = entry.source == Service.DISPATCH
        if own and not replaying and not isinstance(entry.body, TRACKED_OWN):
            return True
        if replaying and isinstance(entry.body, CaseEvent):
            self.held = [held for held in self.held if held.body.input_id != entry.body.input_id]  # type: ignore[attr-defined]
        message = self._message(entry)
        if self._deliver(message._replace(catching_up=replaying, replayed=own and replaying), self.handlers.on_case_message):
            self.held.append(entry)
        return True

    def release(self) -> None:
        """All is read that lay on the topic: what was held is given again."""
        given, self.held = self.held, []
        for entry in given:
            if entry.body.input_id not in self.handled:  # type: ignore[attr-defined]
                self._keep(self.handlers.on_case_message(self.case, self._message(entry)._replace(held=True)))

    def _message(self, entry: Entry) -> Incoming:
        return incoming(entry.body, CASES.name, datetime.max.replace(tzinfo=UTC), entry.id, entry.source)

    def command(self, command: AgencyCommand, agency: str, at: datetime, message_id: UUID) -> None:
        """An agency's system sends a command."""
        self._deliver(incoming(command, AGENCY_ACTIONS.for_agency(agency), at, message_id), self.handlers.on_action)

    def http(self, command: AgencyCommand, act: CommandContext) -> None:
        """An officer's request; raises Refusal."""
        if act.input_id in self.handled:
            return
        self._keep(self.handlers.on_command(self.case, command, act, source="http"))

    def _deliver(self, message: Incoming, apply: "object") -> bool:
        """True where the message is to be held."""
        body = message.body
        answered_by = body.input_id if isinstance(body, InputEvent) else message.id
        if message.id in self.inbox or answered_by in self.handled:
            self.inbox.add(message.id)
            return False
        self.inbox.add(message.id)
        assert callable(apply)
        outcome: Outcome[Case] = apply(self.case, message)
        self._keep(outcome)
        return outcome.hold

    def _keep(self, outcome: Outcome[Case]) -> None:
        if outcome.state is not None:
            self.case = outcome.state
        self.handled.update(outcome.handled)
        for message in outcome.outgoing:
            assert message.id is not None
            if message.topic == CASES.name:
                self.append(message.body, Service.DISPATCH, message.id)
            else:
                self.agencies.append(message)
