"""A case as dispatch knows it, and what its agency may do with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tuntas_contracts.base import Actor
from tuntas_contracts.lifecycle import possible
from tuntas_contracts.vocabulary import CaseState, Classification, CloseReason, Role, Service, ServiceClass
from tuntas_reference.deadlines import local_date, zone_or_national


class Case(NamedTuple):
    """The state that decisions are made on; the report itself lies beside it, because no decision reads it.

    `owner` is who owns the case by this database, `topic_owner` by the hand-overs read from the cases topic so far.
    `name_fingerprints`: what the words of the reporter's name are recognised by, `packed`; none once the reporter is erased.
    `answers` counts T15, and so the starts of C6; `supplements` those of them that added to an answer on the local day of `answered_at`.
    """

    case_id: UUID
    version: int
    state: CaseState
    owner: Service
    topic_owner: Service
    agency: str
    time_zone: str
    profile: str
    classification: Classification
    secret: bool
    anonymous: bool
    bounces: int
    arbitrated: bool
    last_event_at: datetime
    unit: str | None = None
    service_class: ServiceClass | None = None
    completion_limit: int | None = None
    answers: int = 0
    answered_at: datetime | None = None
    supplements: int = 0
    closed_reason: CloseReason | str | None = None
    closed_at: datetime | None = None
    name_fingerprints: bytes = b""

    def not_before_last(self, at: datetime) -> datetime:
        """`at`, or the time of the last event where that is later: a case's history never runs backwards."""
        return max(at, self.last_event_at)

    def supplements_on(self, at: datetime) -> int:
        """How many supplements the case has got so far on the agency's local day of `at`."""
        zone = zone_or_national(self.time_zone)  # a limit by the day must not stop a case
        same_day = self.answered_at is not None and local_date(self.answered_at, zone) == local_date(at, zone)
        return self.supplements if same_day else 0


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Who does something, when (business time), and by which command or input."""

    actor: Actor
    at: datetime
    input_id: UUID


def allowed_actions(state: CaseState) -> tuple[str, ...]:
    """What officers of the agency may do in a state."""
    return tuple(row.verb for row in possible(state, Service.DISPATCH, Role.AGENCY_SYSTEM))
