"""What came of the play, and whether it did what it should."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuntas_operations.reconciliation.rounds import Result


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold at the end; `detail` says what was found."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mails:
    """`delivered` is what the mail server took, `distinct` of them by Message-ID; `undelivered` are notices given up, by reason."""

    delivered: int
    distinct: int
    by_kind: Mapping[str, int]
    undelivered: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Real seconds, and what passed in them. `reports_per_s` while reports came in; the others over the whole play."""

    start_s: float
    play_s: float
    end_s: float
    total_s: float
    reports_per_s: float
    messages: int
    messages_per_s: float
    requests: int
    requests_per_s: float
    requests_by_kind: Mapping[str, int]
    commands: int
    memory_mb: int
    cpu_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The end of a demo. `classes` and `clocks` are sla-monitor's public figures; days are Jakarta's."""

    seed: int
    reports: int
    accepted: int
    first_day: str
    last_day: str
    working_days: int
    holidays: Sequence[str]
    buckets: Mapping[str, int]
    states: Mapping[str, int]
    classes: Sequence[Mapping[str, Any]]
    clocks: Sequence[Mapping[str, Any]]
    warnings: Mapping[str, int]
    missed: Mapping[str, int]
    closed: Mapping[str, int]
    returned: int
    arbitrated: int
    misconduct: int
    refused: Mapping[str, int]
    mails: Mails
    pace: Pace
    reconciliation: Result
    checks: Sequence[Check]
    faults: int
    shown_faults: Sequence[str]

    @property
    def ok(self) -> bool:
        """Whether everything that must hold does."""
        return all(check.holds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """All of it, for a machine."""
        shown = asdict(self) | {"ok": self.ok}
        shown["reconciliation"] |= {"clean": self.reconciliation.clean}
        return shown
