"""What the doctor says: one line about one thing."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "wrong", "not checked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `about` names it in a word or two, `found` is what was found, `todo` what to do where it is not ok."""

    about: str
    status: Status
    found: str
    todo: str = ""

    @property
    def line(self) -> str:
        """What was found and what to do, in one line."""
        return f"{self.found}: {self.todo}" if self.todo else self.found


def ok(about: str, found: str) -> Finding:
    """All is well."""
    return Finding(about, "ok", found)


def wrong(about: str, found: str, todo: str) -> Finding:
    """Something must be done."""
    return Finding(about, "wrong", found, todo)


def not_checked(about: str, found: str, todo: str = "") -> Finding:
    """It could not be looked at; that alone is no fault."""
    return Finding(about, "not checked", found, todo)
