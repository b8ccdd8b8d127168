"""What the SLA monitor's HTTP answers look like."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.figures import Figures
from sla_monitor.domain.warnings import Run, WarningOf, WarningState
from tuntas_chassis.http.answers import MAX_FEW, MAX_MANY, Code, Cursor, Day, Line, MeanDays, Moment, Total
from tuntas_contracts.vocabulary import CaseState, Clock, ServiceClass, WarningLevel
from tuntas_reference.calendar import HolidayKind, WorkingCalendar


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True)


class WarningView(View):
    """A warning of a clock; `ends` means that it is of the end itself. C5 is the monitoring warning of C4."""

    clock: Clock
    level: WarningLevel
    fire_at: Moment
    ends: bool
    state: WarningState


class RunView(View):
    """One run of a clock. What happens at `due_at` itself is in time. `working_days` counts from the day of its start to its end."""

    clock: Clock
    deadline_version: Total
    started_at: Moment
    due_at: Moment
    ended_at: Moment | None
    outcome: RunOutcome
    overdue: bool
    working_days: Total | None
    agency: Code | None
    unit: Code | None
    service_class: ServiceClass | None
    provisional: bool
    warnings: Annotated[list[WarningView], Field(max_length=MAX_FEW)]

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
    """The clocks that ran for a case, oldest first; of each clock the newest runs, with a cursor to those before."""

    case_id: UUID
    version: Total
    state: CaseState
    agency: Code | None
    time_zone: Code
    calendar_version: Code
    clocks: Annotated[list[RunView], Field(max_length=MAX_MANY)]
    next_cursor: Cursor | None = Field(description="Leads to earlier runs; null where there are none")


class HolidayView(View):
    """A day on which the government does not work."""

    day: Day
    kind: HolidayKind
    name: Line


class CalendarView(View):
    """One year of the working calendar; Saturdays and Sundays are free beside the holidays. `provisional`: not decreed to its end."""

    year: Total
    version: Code
    decreed_until: Day
    provisional: bool
    holidays: Annotated[list[HolidayView], Field(max_length=MAX_FEW)]

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


class ReportsView(View):
    """Reports received in the period, by where they stand now; archived ones count under `archived` alone."""

    received: Total
    not_yet_responded: Total
    not_yet_completed: Total
    closed: Total
    archived: Total


class ClassView(View):
    """Completion in one service class."""

    service_class: ServiceClass
    on_time: Total
    late: Total
    running: Total
    mean_follow_up_working_days: MeanDays | None


class ClockView(View):
    """Runs of one clock that started in the period, by how they ended."""

    clock: Clock
    running: Total
    met: Total
    met_late: Total
    stopped: Total
    missed: Total
    elapsed: Total


class FiguresView(View):
    """Public figures (Permenpan RB 62/2018) of the days `from` to `to`, both included, in Jakarta's time; `agency` null means all."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    first_day: Day = Field(serialization_alias="from")
    last_day: Day = Field(serialization_alias="to")
    agency: Code | None
    reports: ReportsView
    mean_follow_up_working_days: MeanDays | None
    classes: Annotated[list[ClassView], Field(max_length=MAX_FEW)]
    clocks: Annotated[list[ClockView], Field(max_length=MAX_FEW)]

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
