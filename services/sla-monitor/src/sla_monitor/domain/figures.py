"""The figures that the law asks for: per period and agency, with no personal data."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sla_monitor.domain.case_clocks import RunOutcome
from tuntas_contracts.vocabulary import Clock, ServiceClass


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports of the period by where they stand. Archived ones are in `archived` alone.

    `not_yet_responded`: no T5, T14 or T15; `not_yet_completed`: no T15.
    """

    received: int = 0
    not_yet_responded: int = 0
    not_yet_completed: int = 0
    closed: int = 0
    archived: int = 0


@dataclass(frozen=True, slots=True)
class RunCount:
    """How many runs of a clock ended in one way, and the working days they took in sum."""

    clock: Clock
    service_class: ServiceClass | None
    outcome: RunOutcome
    number: int
    working_days: int


@dataclass(slots=True)
class ClockFigures:
    """How often a clock ran in the period, by how it ended."""

    clock: Clock
    running: int = 0
    met: int = 0
    met_late: int = 0
    stopped: int = 0
    missed: int = 0
    elapsed: int = 0


@dataclass(slots=True)
class ClassFigures:
    """Completion (C4) in one service class: in time, late or missed, and the mean time to the first answer in working days."""

    service_class: ServiceClass
    on_time: int = 0
    late: int = 0
    running: int = 0
    mean_follow_up_working_days: float | None = None


@dataclass(slots=True)
class Figures:
    """All of it. `mean_follow_up_working_days`: from the start of C4 to the first answer."""

    reports: Reports
    mean_follow_up_working_days: float | None = None
    classes: list[ClassFigures] = field(default_factory=list)
    clocks: list[ClockFigures] = field(default_factory=list)


def figures_of(reports: Reports, counts: Iterable[RunCount]) -> Figures:
    """The figures that follow from counts of runs."""
    clocks: dict[Clock, ClockFigures] = {clock: ClockFigures(clock) for clock in Clock if clock is not Clock.C5}
    classes = {service_class: ClassFigures(service_class) for service_class in ServiceClass}
    answered: dict[ServiceClass | None, tuple[int, int]] = {}
    for count in counts:
        figure = clocks[count.clock]
        setattr(figure, count.outcome.value, getattr(figure, count.outcome.value) + count.number)
        if count.clock is not Clock.C4:
            continue
        if count.outcome in (RunOutcome.MET, RunOutcome.MET_LATE):
            number, days = answered.get(count.service_class, (0, 0))
            answered[count.service_class] = (number + count.number, days + count.working_days)
        if count.service_class is not None:
            _count_class(classes[count.service_class], count)
    for service_class, sums in answered.items():
        if service_class is not None:
            classes[service_class].mean_follow_up_working_days = _mean(*sums)
    total = _mean(sum(number for number, _ in answered.values()), sum(days for _, days in answered.values()))
    return Figures(reports, total, list(classes.values()), list(clocks.values()))


def _count_class(figure: ClassFigures, count: RunCount) -> None:
    if count.outcome is RunOutcome.MET:
        figure.on_time += count.number
    elif count.outcome in (RunOutcome.MET_LATE, RunOutcome.MISSED):
        figure.late += count.number
    elif count.outcome is RunOutcome.RUNNING:
        figure.running += count.number


def _mean(number: int, days: int) -> float | None:
    return round(days / number, 2) if number else None
