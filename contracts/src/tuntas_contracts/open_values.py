"""Fields of messages whose enumeration may grow: a value of a later release is read as the text that it is.

A value that this release knows is the enumeration's member, any other a text of lower-case words or, for what is numbered, such as `T27`.
A reader compares with the members that it acts upon and treats any other value as one that does not concern it, keeps it as text, or sets
the message aside; it never fails on one and never takes it for another. What people send over HTTP is checked against the enumerations.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeVar

from pydantic import Field

from tuntas_contracts.vocabulary import (
    AgencyKind,
    ArchiveReason,
    Channel,
    Clock,
    CloseReason,
    Origin,
    QueueReason,
    Role,
    ServiceKind,
    Transition,
    UnitKind,
    WarningLevel,
)

MAX_VALUE_LENGTH: Final = 64

E = TypeVar("E", bound=StrEnum)

_KNOWN_FIRST: Final = Field(union_mode="left_to_right")

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=MAX_VALUE_LENGTH)]
"""A value of a later release: lower snake case."""
Number = Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,3}$", max_length=4)]
"""A numbered value of a later release, such as `T27` or `C14`."""

AnyAgencyKind = Annotated[AgencyKind | Word, _KNOWN_FIRST]
AnyArchiveReason = Annotated[ArchiveReason | Word, _KNOWN_FIRST]
AnyChannel = Annotated[Channel | Word, _KNOWN_FIRST]
AnyClock = Annotated[Clock | Number, _KNOWN_FIRST]
AnyCloseReason = Annotated[CloseReason | Word, _KNOWN_FIRST]
AnyOrigin = Annotated[Origin | Word, _KNOWN_FIRST]
AnyQueueReason = Annotated[QueueReason | Word, _KNOWN_FIRST]
AnyRole = Annotated[Role | Word, _KNOWN_FIRST]
AnyServiceKind = Annotated[ServiceKind | Word, _KNOWN_FIRST]
AnyTransition = Annotated[Transition | Number, _KNOWN_FIRST]
AnyUnitKind = Annotated[UnitKind | Word, _KNOWN_FIRST]
AnyWarningLevel = Annotated[WarningLevel | Word, _KNOWN_FIRST]


def member_or_text(enumeration: type[E], value: str) -> E | str:
    """The member of that value, or the value itself where this release has none: for what was stored by another release."""
    try:
        return enumeration(value)
    except ValueError:
        return value
