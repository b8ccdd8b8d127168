"""The pipeline at one instant of the play, in figures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from intake.domain.labels import BUCKETS
from tuntas_contracts.vocabulary import CaseState

NATIONAL, AGENCY = "nasional", "instansi"


def bucket_of(state: CaseState) -> str:
    """What the national statistics call the state; the two unverified ones with the place where they wait."""
    name = BUCKETS[state].id
    where = {CaseState.RECEIVED: NATIONAL, CaseState.AT_AGENCY: AGENCY}.get(state)
    return f"{name} ({where})" if where else name


ORDER: Final = tuple(dict.fromkeys(bucket_of(state) for state in CaseState))
"""The buckets in the order of a case's life."""


def by_bucket(states: Mapping[CaseState, int]) -> dict[str, int]:
    """How many cases are in each bucket."""
    counted = dict.fromkeys(ORDER, 0)
    for state, number in states.items():
        counted[bucket_of(state)] += number
    return counted


@dataclass(frozen=True, slots=True)
class PipelineSnapshot:
    """`now` is simulated; `day` counts working days from 1 to `days`; rates are per second of real time."""

    now: datetime
    day: int
    days: int
    day_off: bool
    doing: str
    reports: int
    accepted: int
    buckets: Mapping[str, int]
    events: Mapping[str, int]
    closed: Mapping[str, int]
    warnings: Mapping[str, int]
    missed: Mapping[str, int]
    mails: int
    messages: int
    messages_per_s: float
    requests: int
    commands: int
    refused: int
    faults: int
    seconds: float

    @property
    def forwarded(self) -> int:
        """How many times a case went to an agency."""
        return self.events.get("CaseForwarded", 0)

    @property
    def warned(self) -> int:
        """Warnings of any clock."""
        return sum(self.warnings.values())

    @property
    def late(self) -> int:
        """Deadlines of any clock that ran out."""
        return sum(self.missed.values())


def clock_rows(warnings: Mapping[str, int], missed: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """(clock, warnings, missed) in the order of the clocks."""
    clocks = Counter(warnings) + Counter(missed)
    return [(clock, warnings.get(clock, 0), missed.get(clock, 0)) for clock in sorted(clocks, key=lambda name: int(name[1:]))]
