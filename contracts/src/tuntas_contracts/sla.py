"""The events of the SLA topic: what is due, what is warned of, what was missed."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from tuntas_contracts.base import AgencyCode, Contract, ShortText
from tuntas_contracts.vocabulary import Clock, Role, ServiceClass, WarningLevel


class DeadlineEvent(Contract):
    """One clock of one case. `deadline_version` counts each time this clock was set for the case."""

    case_id: UUID
    clock: Clock
    deadline_version: Annotated[int, Field(ge=1)]
    occurred_at: AwareDatetime
    due_at: AwareDatetime
    agency: AgencyCode | None = None
    unit: ShortText | None = None
    service_class: ServiceClass | None = None


class DeadlineSet(DeadlineEvent):
    """A clock started. `provisional`: it reaches into a year whose calendar is not yet decreed."""

    started_at: AwareDatetime
    provisional: bool
    calendar_version: ShortText


class DeadlineWarning(DeadlineEvent):
    """A checkpoint of a running clock was reached; emitted once per (case, clock, level, deadline version)."""

    level: WarningLevel
    told: tuple[Role, ...]


class DeadlineMissed(DeadlineEvent):
    """A clock ran out unmet; emitted once per (case, clock, deadline version)."""

    level: WarningLevel = WarningLevel.MISSED
    told: tuple[Role, ...]
