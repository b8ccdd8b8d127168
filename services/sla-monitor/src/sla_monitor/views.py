"""What the SLA monitor's HTTP answers look like."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.figures import Figures
from sla_monitor.domain.warnings import Run, WarningOf, WarningState
from tuntas_contracts.calendar import HolidayKind, WorkingCalendar
from tuntas_contracts.vocabulary import CaseState, Clock, ServiceClass, WarningLevel


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True)


class WarningView(View):
    """A warning of a clock; `ends` means that it tells of the end itself. C5 is the monitoring warning of C4."""

    clock: Clock
    level: WarningLevel
    fire_at: AwareDatetime
    ends: bool
    state: WarningState


class RunView(View):
    """One run of a clock. What happens at `due_at` itself is in time. `working_days` counts from the day of its start to its end."""

    clock: Clock
    deadline_version: int
    started_at: AwareDatetime
    due_at: AwareDatetime
    ended_at: AwareDatetime | None
    outcome: RunOutcome
    overdue: bool
    working_days: int | None
    agency: str | None
    unit: str | None
    service_class: ServiceClass | None
    provisional: bool
    warnings: list[WarningView]

    @classmethod
    def of(cls, run: Run, warnings: list[WarningOf], now: datetime) -> Self:
        """A run as it stands at `now`."""
        return cls(
            clock=run.clock,
            deadline_version=run.deadline_version,
            started_at=run.started_at,
            due_at=run.due_at,
            ended_at=run.ended_at,
            outcome=run.outcome,
            overdue=(run.ended_at or now) > run.due_at,
            working_days=run.working_days,
            agency=run.agency,
            unit=run.unit,
            service_class=run.service_class,
            provisional=run.provisional,
            warnings=[WarningView.model_validate(warning) for warning in warnings],
        )


class CaseClocksView(View):
    """Every clock that ran for a case, oldest first."""

    case_id: UUID
    version: int
    state: CaseState
    agency: str | None
    time_zone: str
    calendar_version: str
    clocks: list[RunView]


class HolidayView(View):
    """A day on which the government does not work."""

    day: date
    kind: HolidayKind
    name: str


class CalendarView(View):
    """One year of the working calendar; Saturdays and Sundays are free beside the holidays. `provisional`: not decreed to its end."""

    year: int
    version: str
    decreed_until: date
    provisional: bool
    holidays: list[HolidayView]

    @classmethod
    def of(cls, calendar: WorkingCalendar, year: int) -> Self:
        """A year of a calendar."""
        return cls(
            year=year,
            version=calendar.version,
            decreed_until=calendar.decreed_until,
            provisional=calendar.is_provisional(date(year, 12, 31)),
            holidays=[HolidayView.model_validate(holiday) for holiday in calendar.holidays_of(year)],
        )


Count = Annotated[int, Field(ge=0)]


class ReportsView(View):
    """Reports received in the period, by where they stand now; archived ones count under `archived` alone."""

    received: Count
    not_yet_responded: Count
    not_yet_completed: Count
    closed: Count
    archived: Count


class ClassView(View):
    """Completion in one service class."""

    service_class: ServiceClass
    on_time: Count
    late: Count
    running: Count
    mean_follow_up_working_days: float | None


class ClockView(View):
    """Runs of one clock that started in the period, by how they ended."""

    clock: Clock
    running: Count
    met: Count
    met_late: Count
    stopped: Count
    missed: Count
    elapsed: Count


class FiguresView(View):
    """Public figures (Permenpan RB 62/2018) of the days `from` to `to`, both included, in Jakarta's time; `agency` null means all."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    first_day: date = Field(serialization_alias="from")
    last_day: date = Field(serialization_alias="to")
    agency: str | None
    reports: ReportsView
    mean_follow_up_working_days: float | None
    classes: list[ClassView]
    clocks: list[ClockView]

    @classmethod
    def of(cls, first_day: date, last_day: date, agency: str | None, figures: Figures) -> Self:
        """The answer for a period."""
        return cls(
            first_day=first_day,
            last_day=last_day,
            agency=agency,
            reports=ReportsView.model_validate(figures.reports),
            mean_follow_up_working_days=figures.mean_follow_up_working_days,
            classes=[ClassView.model_validate(item) for item in figures.classes],
            clocks=[ClockView.model_validate(item) for item in figures.clocks],
        )

    def as_csv(self) -> str:
        """The same figures, one a line: from, to, agency, group, of, figure, value."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(("from", "to", "agency", "group", "of", "figure", "value"))
        for group, of, figure, value in self._lines():
            shown = "" if value is None else value
            writer.writerow((self.first_day.isoformat(), self.last_day.isoformat(), self.agency or "", group, of, figure, shown))
        return out.getvalue()

    def _lines(self) -> Iterator[tuple[str, str, str, float | None]]:
        for figure, value in self.reports.model_dump().items():
            yield "reports", "", figure, value
        yield "reports", "", "mean_follow_up_working_days", self.mean_follow_up_working_days
        for item in self.classes:
            for figure, value in item.model_dump(exclude={"service_class"}).items():
                yield "service_class", item.service_class.value, figure, value
        for clock in self.clocks:
            for figure, value in clock.model_dump(exclude={"clock"}).items():
                yield "clock", clock.clock.value, figure, value
