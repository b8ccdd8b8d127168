"""What is found when the reader of one schema is given what the writer of another may write."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a finding counts."""

    REFUSED = "refused"  # something that may be written is not read, or read as something else
    UNDECIDED = "undecided"  # the schemas alone don't show it
    NOTE = "note"  # a difference that harms nobody


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding at a JSON path."""

    path: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Parties:
    """How texts name those who wrote and those who read.

    `know_all`: the readers must know every listed value that was written, also where any other text is read too.
    """

    messages: str
    readers: str
    know_all: bool = False
