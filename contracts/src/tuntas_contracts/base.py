"""The base of all contracts: frozen, tolerant of fields they do not know, aware datetimes only."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tuntas_contracts.vocabulary import CaseState, Role, Service, Transition

AgencyCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,38}$")]
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(min_length=1, max_length=20_000)]


class Contract(BaseModel):
    """What the world may rely on. A breaking change is a new topic, never an edit."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_enum_values=False, hide_input_in_errors=True)


class Actor(Contract):
    """Who did it, without a name: a role, an opaque subject and, for officers, the agency."""

    role: Role
    subject: ShortText
    agency: AgencyCode | None = None


class CaseEvent(Contract):
    """An event of the owner of a case.

    `version` counts 1, 2, 3 … without a gap over all owners. `occurred_at` is the business time on which clocks start
    and stop. `state` and `owner` hold after the event. `input_id` names the input or command that it answers.
    """

    case_id: UUID
    version: Annotated[int, Field(ge=1)]
    occurred_at: AwareDatetime
    transition: Transition | None = None
    state: CaseState
    owner: Service
    actor: Actor | None = None
    input_id: UUID | None = None


class InputEvent(Contract):
    """What a reporter did or time did: an input that the owner of the case accepts or refuses; it has no version."""

    is_input: ClassVar[bool] = True

    case_id: UUID
    input_id: UUID
    occurred_at: AwareDatetime
