"""The base of all contracts: frozen, tolerant of fields they do not know, aware datetimes only, every field bounded.

The sum of the bounds keeps the largest possible event at 256 KiB (the register's at 900,000 bytes) and an agency's largest command
at 128 KiB, encoded in UTF-8; a test computes them.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tuntas_contracts.open_values import AnyRole, AnyTransition
from tuntas_contracts.vocabulary import CaseState, Service

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
LATEST_WINDOW: Final = datetime(2205, 1, 1, tzinfo=UTC)
LATEST_DUE: Final = datetime(2210, 1, 1, tzinfo=UTC)
MAX_COUNT: Final = 2_147_483_647  # PostgreSQL's integer

# No control characters but tab and line breaks: PostgreSQL stores no NUL, and JSON writes each of the others in six bytes.
TEXT_PATTERN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def without_controls(text: str) -> str:
    """The text as `TEXT_PATTERN` allows it: what a message of an error repeats of somebody's bytes may hold control characters."""
    return _CONTROL.sub("\ufffd", text)


AgencyCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,38}$", max_length=39)]
MAX_SHORT_TEXT: Final = 200
MAX_MEDIUM_TEXT: Final = 2_000
MAX_LONG_TEXT: Final = 20_000
MAX_TITLE: Final = 300

ShortText = Annotated[str, Field(max_length=MAX_SHORT_TEXT, pattern=TEXT_PATTERN)]
MediumText = Annotated[str, Field(max_length=MAX_MEDIUM_TEXT, pattern=TEXT_PATTERN)]
LongText = Annotated[str, Field(min_length=1, max_length=MAX_LONG_TEXT, pattern=TEXT_PATTERN)]
Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE, pattern=TEXT_PATTERN)]
Evidence = Annotated[tuple[ShortText, ...], Field(max_length=50)]
"""What supports an answer: names or addresses of documents."""
NameFingerprints = Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", max_length=16)], ...], Field(max_length=12)]
"""What the words of a reporter's name are recognised by in this case (`texts/name_fingerprints.py`): for the cases topic only."""
BusinessTime = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]
"""A moment at which something happened, from 2000 to 2199: far from where arithmetic with time zones overflows."""
WindowTime = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST_WINDOW)]
"""The end of a window that began at a business time."""
DueTime = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST_DUE)]
"""A moment at which something is due, which may lie years after the last business time."""
Version = Annotated[int, Field(ge=1, le=MAX_COUNT)]
WorkingDays = Annotated[int, Field(ge=1, le=1_000)]
Bounces = Annotated[int, Field(ge=0, le=1_000)]


class Contract(BaseModel):
    """What the world may rely on. A breaking change is a new topic, never an edit."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_enum_values=False, hide_input_in_errors=True)


class Actor(Contract):
    """Who did it, without a name: a role, an opaque subject and, for officers, the agency."""

    role: AnyRole
    subject: ShortText
    agency: AgencyCode | None = None


class CaseEvent(Contract):
    """An event of the owner of a case.

    `version` counts 1, 2, 3 … without a gap over all owners. `occurred_at` is the business time on which clocks start
    and stop. `state` and `owner` hold after the event. `input_id` names the input or command that it answers.
    """

    case_id: UUID
    version: Version
    occurred_at: BusinessTime
    transition: AnyTransition | None = None
    state: CaseState
    owner: Service
    actor: Actor | None = None
    input_id: UUID | None = None


class InputEvent(Contract):
    """What a reporter did or time did: an input that the owner of the case accepts or refuses; it has no version."""

    is_input: ClassVar[bool] = True

    case_id: UUID
    input_id: UUID
    occurred_at: WindowTime
