"""Message + clocks → new clocks and their announcements; fired checkpoint → its announcement. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sla_monitor.domain.case_clocks import CaseClocks, Started
from sla_monitor.domain.clocks import ClockMachine
from sla_monitor.domain.deadlines import Notice, notice_of
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_contracts.base import CaseEvent, Contract, InputEvent
from tuntas_contracts.cases import WindowElapsed
from tuntas_contracts.sla import DeadlineMissed, DeadlineSet, DeadlineWarning
from tuntas_contracts.topology import CASES, SLA
from tuntas_contracts.vocabulary import Clock, ServiceClass, WarningLevel


class DueRow(Protocol):
    """A due checkpoint as it is stored: of another release, its codes may be ones that this code does not know."""

    case_id: UUID
    profile: str
    clock: str
    level: str
    deadline_version: int
    fire_at: datetime
    due_at: datetime
    agency: str | None
    unit: str | None
    service_class: str | None
    partition: int


@dataclass(frozen=True, slots=True)
class Fired:
    """A checkpoint whose moment has come."""

    case_id: UUID
    profile: str
    clock: Clock
    level: WarningLevel
    deadline_version: int
    fire_at: datetime
    due_at: datetime
    agency: str | None
    unit: str | None
    service_class: ServiceClass | None


class Handlers:
    """The decisions of the delivery core's messages."""

    def __init__(self, clock_machine: ClockMachine, calendar_version: str) -> None:
        self._clock_machine = clock_machine
        self._calendar_version = calendar_version

    def apply(self, state: CaseClocks | None, incoming: Incoming) -> Outcome[CaseClocks]:
        """What a message of the cases topic leads to. Raises ValueError where key and case id differ, CalendarError, LookupError."""
        body = incoming.body
        if not isinstance(body, CaseEvent | InputEvent):
            raise TypeError(f"{type(body).__name__} is no event of a case: take it out of the subscription")
        if incoming.key != str(body.case_id):
            raise ValueError(f"the record's key is {incoming.key!r}, its case {body.case_id}: the key must be the case id")
        changed, steps = self._clock_machine.on_event(state, body, incoming.partition)
        return Outcome(changed, [self._announce(step) for step in steps if isinstance(step, Started) and step.announced], steps)

    def _announce(self, step: Started) -> Outgoing:
        run = step.run
        body = DeadlineSet(
            case_id=step.case_id,
            clock=run.clock,
            deadline_version=run.deadline_version,
            occurred_at=run.started_at,
            due_at=run.due_at,
            agency=step.agency,
            unit=step.unit,
            service_class=step.service_class,
            started_at=run.started_at,
            provisional=step.provisional,
            calendar_version=self._calendar_version,
        )
        identity = derive_id(step.case_id, run.clock, "set", run.deadline_version)
        return Outgoing(SLA.name, str(step.case_id), body, run.started_at, identity)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A checkpoint that fired, what it means, and what is published of it."""

    fired: Fired
    notice: Notice
    message: Outgoing


def fired_of(row: DueRow) -> Fired:
    """A due checkpoint. Raises ValueError where this code does not know its codes."""
    return Fired(
        case_id=row.case_id,
        profile=row.profile,
        clock=Clock(row.clock),
        level=WarningLevel(row.level),
        deadline_version=row.deadline_version,
        fire_at=row.fire_at,
        due_at=row.due_at,
        agency=row.agency,
        unit=row.unit,
        service_class=ServiceClass(row.service_class) if row.service_class else None,
    )


def announce(fired: Fired) -> Announcement:
    """What is published for a checkpoint: the same one gives the same id and content.

    Raises LookupError for an unknown profile or level, ValueError where it does not fit the contract.
    """
    notice = notice_of(fired.profile, fired.clock, fired.level)
    return Announcement(fired, notice, _message(fired, notice))


def in_order(announcements: Iterable[Announcement]) -> list[Announcement]:
    """In order of the checkpoints' moments."""
    return sorted(announcements, key=lambda item: (item.fired.fire_at, item.fired.case_id, item.fired.clock))


def _message(fired: Fired, notice: Notice) -> Outgoing:
    identity = derive_id(fired.case_id, fired.clock, fired.level, fired.deadline_version)
    key = str(fired.case_id)
    if notice.elapses:
        window = WindowElapsed(
            case_id=fired.case_id,
            input_id=derive_id(fired.case_id, fired.clock, fired.deadline_version),
            occurred_at=fired.due_at,
            clock=fired.clock,
            deadline_version=fired.deadline_version,
            due_at=fired.due_at,
        )
        return Outgoing(CASES.name, key, window, fired.due_at, identity)
    kind = DeadlineMissed if notice.ends else DeadlineWarning
    body: Contract = kind(
        case_id=fired.case_id,
        clock=fired.clock,
        deadline_version=fired.deadline_version,
        occurred_at=fired.fire_at,
        due_at=fired.due_at,
        agency=fired.agency,
        unit=fired.unit,
        service_class=fired.service_class,
        level=fired.level,
        recipients=notice.recipients,
    )
    return Outgoing(SLA.name, key, body, fired.fire_at, identity)
