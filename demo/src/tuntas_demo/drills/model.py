"""What a drill is: a fault, what is promised of it, and how it is done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tuntas_operations.errors import StackError

if TYPE_CHECKING:
    from tuntas_demo.drills.scene import Scene


class DrillFailed(StackError):
    """Something that a drill promises does not hold; the message says what was expected and what was seen."""


class DrillSkipped(StackError):
    """The drill can't be done on this machine; the message says what lacks."""


class Setting(StrEnum):
    """The stack that a drill needs; drills of one setting share a stack."""

    PAIRS = "pairs"  # one broker, two processes of each service, the second ones of triage and dispatch behind proxies
    THREE_BROKERS = "three-brokers"  # three brokers, one process of each service


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One row of the fault matrix, and the drill that shows it.

    `waits` is what is stalled while the fault lasts, `goes_on` what does not, `within_s` how long after the fault's end (or where
    something takes over, its beginning) everything flows again at most; `alerts` ring if it lasts; `operator` is what a person does.
    `quick` drills are part of `make test`.
    """

    name: str
    setting: Setting
    fault: str
    waits: str
    goes_on: str
    within_s: float
    alerts: tuple[str, ...]
    operator: str
    run: Callable[["Scene"], Awaitable[None]]
    quick: bool = False
