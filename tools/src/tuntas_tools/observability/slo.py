"""The service level objectives, as `deploy/prometheus/slo.yaml` states them."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from tuntas_operations.errors import StackError

WINDOW = "$window"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class BadObjective(StackError):
    """slo.yaml states something that can't be an objective."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise. `good` and `total` are rates of events over `$window`, without labels; `few` bad events are never an alarm."""

    name: str
    title: str
    promise: str
    owner: str
    alert: str
    objective: float
    few: int
    good: str
    total: str

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return round(1 - self.objective, 6)

    def good_over(self, window: str) -> str:
        """Good events a second, as PromQL."""
        return self.good.replace(WINDOW, window)

    def total_over(self, window: str) -> str:
        """All events a second, as PromQL."""
        return self.total.replace(WINDOW, window)


@dataclass(frozen=True, slots=True)
class Burn:
    """A pair of windows over which `rate` times the budget must be spent for an alarm, and how long before it is told."""

    rate: float
    long: str
    short: str
    hold: str
    severity: str


BURNS = (
    Burn(14.4, "1h", "5m", "1m", "page"),
    Burn(6, "6h", "30m", "5m", "page"),
    Burn(3, "1d", "2h", "15m", "ticket"),
    Burn(1, "3d", "6h", "30m", "ticket"),
)
"""2 % of a month's budget in an hour, 5 % in six, 10 % in a day, 10 % in three."""


def seconds(span: str) -> int:
    """The length of a span as Prometheus writes it, `5m` or `3d`. Raises BadObjective."""
    found = re.fullmatch(r"(\d+)([smhd])", span)
    if found is None:
        raise BadObjective(f"{span!r} is no span of time: write a number and s, m, h or d")
    return int(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class Objectives:
    """All of them, and the window that they hold over."""

    window: str
    slos: tuple[Objective, ...]


def read_objectives(file: Path) -> Objectives:
    """What the file states. Raises BadObjective with what to change."""
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    seconds(told["window"])
    slos = tuple(_objective(entry) for entry in told["slos"])
    for names in ([slo.name for slo in slos], [slo.alert for slo in slos]):
        if len(names) != len(set(names)):
            raise BadObjective(
                f"{file.name}: each objective has a name and an alert of its own; one of {', '.join(names)} stands there twice"
            )
    return Objectives(told["window"], slos)


def _objective(entry: dict[str, object]) -> Objective:
    known = {field.name for field in fields(Objective)}
    if entry.keys() != known:
        raise BadObjective(f"objective {entry.get('name')!r}: give exactly {', '.join(sorted(known))}")
    slo = Objective(**entry)  # type: ignore[arg-type]  # its kinds are checked by what is made of it
    if not 0 < slo.objective < 1 or slo.budget * BURNS[0].rate >= 1:
        raise BadObjective(f"objective {slo.name}: {slo.objective} leaves no budget that could burn {BURNS[0].rate} times too fast")
    if WINDOW not in slo.good or WINDOW not in slo.total:
        raise BadObjective(f"objective {slo.name}: good and total are rates over [{WINDOW}]")
    return slo
