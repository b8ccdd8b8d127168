"""The events of the SLA topic: what is due, what is warned of, what was missed."""

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from tuntas_contracts.base import AgencyCode, Contract, DueTime, ShortText, Version
from tuntas_contracts.open_values import AnyClock, AnyRole, AnyWarningLevel
from tuntas_contracts.vocabulary import ServiceClass, WarningLevel

MAX_RECIPIENTS: Final = 50
Recipients = Annotated[tuple[AnyRole, ...], Field(max_length=MAX_RECIPIENTS)]


class DeadlineEvent(Contract):
    """One clock of one case. `deadline_version` counts each time this clock was set for the case."""

    case_id: UUID
    clock: AnyClock
    deadline_version: Version
    occurred_at: DueTime
    due_at: DueTime
    agency: AgencyCode | None = None
    unit: ShortText | None = None
    service_class: ServiceClass | None = None


class DeadlineSet(DeadlineEvent):
    """A clock started. `provisional`: it reaches into a year whose calendar is not yet decreed."""

    started_at: DueTime
    provisional: bool
    calendar_version: ShortText


class DeadlineWarning(DeadlineEvent):
    """A checkpoint of a running clock was reached; emitted once per (case, clock, level, deadline version)."""

    level: AnyWarningLevel
    recipients: Recipients


class DeadlineMissed(DeadlineEvent):
    """A clock ran out unmet; emitted once per (case, clock, deadline version)."""

    level: AnyWarningLevel = WarningLevel.MISSED
    recipients: Recipients
