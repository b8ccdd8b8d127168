"""Message or command + case → what is saved and published. Pure but for counting."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from dispatch.application.refusals import Refusals
from dispatch.domain.agency_messages import assignment, change
from dispatch.domain.case import Case, CommandContext
from dispatch.domain.commands import decide
from dispatch.domain.evolution import evolve
from dispatch.domain.forwarding import arrive
from dispatch.domain.inputs import react
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import Actor, CaseEvent, InputEvent
from tuntas_contracts.cases import CaseForwarded, CaseReturned, InputRefused, ReporterErased
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.texts.name_fingerprints import NameKeys
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import DecisionOutcome, Role, Service


class UnitLookup(Protocol):
    """The units of an agency as the register names them."""

    def units_of(self, agency: str) -> frozenset[str]:
        """The codes of its units; none for an agency that is not in the register."""
        ...


class MisplacedEvent(ValueError):
    """An event under another case's key: its order among the events of its own case can't be known."""


@dataclass(frozen=True, slots=True)
class CaseReport:
    """The report of a case that arrived, as JSON, stored beside the case."""

    case_id: UUID
    report: str


class Handlers:
    """Dispatch's decisions, in the shapes that the delivery core and the routes call."""

    def __init__(self, register: UnitLookup, refusals: Refusals, metrics: MetricSet, names: NameKeys) -> None:
        self._register = register
        self._refusals = refusals
        self._metrics = metrics
        self._names = names

    def on_case_message(self, case: Case | None, message: Incoming) -> Outcome[Case]:
        """What stands on the cases topic: a case forwarded, an input, a reporter's erasure, or an event of our own.

        Raises MisplacedEvent, and ForwardingFault or UnknownProfileError for a case that must not reach its agency.
        """
        body = message.body
        if isinstance(body, CaseEvent | InputEvent | ReporterErased) and message.key != str(body.case_id):
            raise MisplacedEvent(
                f"{type(body).__name__} of case {body.case_id} is under key {message.key[:80]!r}: publish it again under its case id"
            )
        match body:
            case CaseForwarded() as event:
                return self._on_forwarded(case, event, message.envelope.id)
            case InputEvent() as event:
                return self._on_input(case, event, message)
            case CaseEvent() as event:
                return self._on_own(case, event, message.envelope.id)
            case ReporterErased():
                return Outcome(case._replace(name_fingerprints=b"") if case is not None and case.name_fingerprints else None)
        raise TypeError(f"{message.envelope.type} is not a message that dispatch reads")

    def on_action(self, case: Case | None, message: Incoming) -> Outcome[Case]:
        """An agency system's command. Its case is named in the body, its agency by the topic and nothing else."""
        command = message.body
        if not isinstance(command, AgencyCommand):
            raise TypeError(f"{message.envelope.type} is not a command that dispatch knows")
        agency = AGENCY_ACTIONS.agency_of(message.topic)
        actor = Actor(role=Role.AGENCY_SYSTEM, subject=command.officer or agency, agency=agency)
        try:
            # another agency's case looks like one that does not exist: nothing leaks
            mine = case if case is not None and case.agency == agency else None
            act = CommandContext(actor, message.appended_at, message.envelope.id)
            return self.on_command(mine, command, act, source="topic", handled_as=message.id)
        except Refusal as refusal:
            answer = self._refusals.of_command(message, command, refusal)
            return Outcome(None, (answer,) if answer else (), handled=(message.id,))

    def on_command(
        self, case: Case | None, command: AgencyCommand, act: CommandContext, *, source: str, handled_as: UUID | None = None
    ) -> Outcome[Case]:
        """A command on a case of the actor's own agency. Raises Refusal.

        `handled_as` is the id under which it is remembered, where its own may be another's too.
        """
        kind = type(command).__name__
        try:
            if case is None:
                raise Refusal(RefusalCode.UNKNOWN_CASE, "no case of yours has this id; take case ids from what your agency was assigned")
            event = decide(case, command, act, self._register.units_of(case.agency), self._names)
        except Refusal as refusal:
            self._metrics.inc("tuntas_dispatch_commands_total", source, kind, DecisionOutcome.REJECTED)
            self._metrics.inc("tuntas_dispatch_refusals_total", refusal.code)
            raise
        self._metrics.inc("tuntas_dispatch_commands_total", source, kind, DecisionOutcome.ACCEPTED)
        return self._happened(case, event, handled_as or act.input_id)

    def _on_forwarded(self, case: Case | None, event: CaseForwarded, message_id: UUID) -> Outcome[Case]:
        if case is not None and event.version <= case.version:
            return Outcome(None)
        arrived = arrive(case, event)
        topic = AGENCY_CASES.for_agency(event.agency)
        message = Outgoing(topic, str(event.case_id), assignment(arrived, event), event.occurred_at, derive_id(message_id, topic))
        return Outcome(arrived, (message,), (CaseReport(event.case_id, event.report.model_dump_json(exclude_none=True)),))

    def _on_own(self, case: Case | None, event: CaseEvent, message_id: UUID) -> Outcome[Case]:
        """Our own events: a hand-over read back, or, after a restore, what this database does not know any more."""
        returned = isinstance(event, CaseReturned)
        answered = _answered(event)
        if case is None or (event.owner is not Service.DISPATCH and not returned):
            return Outcome(None, handled=answered)
        topic_owner = event.owner if returned else case.topic_owner
        if event.version < case.version:
            return Outcome(None, handled=answered)
        if event.version == case.version:
            return _with_topic_owner(case, topic_owner)._replace(handled=answered)
        rebuilt = evolve(case, event)._replace(topic_owner=topic_owner)
        # the agency gets its messages again, with the same ids: what was put back may not have reached it
        return Outcome(rebuilt, self._agency_messages(rebuilt, event, message_id), handled=answered)

    def _on_input(self, case: Case | None, event: InputEvent, message: Incoming) -> Outcome[Case]:
        kind = type(event).__name__
        if case is None or (case.topic_owner is not Service.DISPATCH and not message.held):
            return self._input(kind, DecisionOutcome.IGNORED, Outcome(None))
        if message.catching_up:
            # decisions that this database has lost, or has made long ago, may lie further on: answered now it could contradict them
            return self._input(kind, DecisionOutcome.HELD, Outcome(None, hold=True))
        if case.topic_owner is not Service.DISPATCH or case.owner is not Service.DISPATCH:  # behind our hand-over
            again = Outgoing(
                CASES.name, str(case.case_id), event, event.occurred_at, derive_id(message.envelope.id, Service.DISPATCH, "repeated")
            )
            return self._input(kind, DecisionOutcome.REPUBLISHED, Outcome(None, (again,)))
        reaction = react(case, event)
        if reaction is None:
            return self._input(kind, DecisionOutcome.IGNORED, Outcome(None))
        happened = self._happened(case, reaction, event.input_id)
        if isinstance(reaction, InputRefused):
            self._metrics.inc("tuntas_dispatch_refusals_total", reaction.code)
            return self._input(kind, DecisionOutcome.REJECTED, happened)
        return self._input(kind, DecisionOutcome.ACCEPTED, happened)

    def _happened(self, case: Case, event: CaseEvent, cause: UUID) -> Outcome[Case]:
        after = evolve(case, event)
        event_id = derive_id(cause, Service.DISPATCH, str(case.case_id), type(event).__name__)
        if event.transition is not None:
            self._metrics.inc("tuntas_dispatch_transitions_total", event.transition)
        published = Outgoing(CASES.name, str(case.case_id), event, event.occurred_at, event_id)
        return Outcome(after, (published, *self._agency_messages(after, event, event_id)), handled=(cause,))

    @staticmethod
    def _agency_messages(case: Case, event: CaseEvent, event_id: UUID) -> tuple[Outgoing, ...]:
        changed = change(case, event)
        if changed is None:
            return ()
        topic = AGENCY_CASES.for_agency(case.agency)
        return (Outgoing(topic, str(case.case_id), changed, event.occurred_at, derive_id(event_id, topic)),)

    def _input(self, kind: str, outcome: DecisionOutcome, result: Outcome[Case]) -> Outcome[Case]:
        self._metrics.inc("tuntas_dispatch_inputs_total", kind, outcome)
        return result


def _answered(event: CaseEvent) -> tuple[UUID, ...]:
    """What the event answered, by the id under which that is remembered: an agency system's ids are its own."""
    if event.input_id is None:
        return ()
    actor = event.actor
    if actor is not None and actor.role is Role.AGENCY_SYSTEM and actor.agency:
        return (derive_id(event.input_id, actor.agency),)
    return (event.input_id,)


def _with_topic_owner(case: Case, owner: Service) -> Outcome[Case]:
    return Outcome(case._replace(topic_owner=owner) if case.topic_owner is not owner else None)
