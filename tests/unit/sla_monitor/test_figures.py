"""Public figures from counts of runs."""

from datetime import date

from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.figures import Reports, RunCount, figures_of
from sla_monitor.entrypoints.schemas import FiguresView
from tuntas_contracts.vocabulary import Clock, ServiceClass

ORDINARY, NORMATIVE = ServiceClass.ORDINARY, ServiceClass.NORMATIVE
COUNTS = (
    RunCount(Clock.C2, None, RunOutcome.MET, 9, 12),
    RunCount(Clock.C2, None, RunOutcome.MISSED, 2, 0),
    RunCount(Clock.C4, ORDINARY, RunOutcome.MET, 3, 30),
    RunCount(Clock.C4, ORDINARY, RunOutcome.MET_LATE, 1, 18),
    RunCount(Clock.C4, ORDINARY, RunOutcome.MISSED, 2, 0),
    RunCount(Clock.C4, ORDINARY, RunOutcome.RUNNING, 4, 0),
    RunCount(Clock.C4, NORMATIVE, RunOutcome.MET, 1, 2),
)


def test_late_is_answered_late_or_not_at_all_and_the_mean_counts_answers_alone() -> None:
    found = figures_of(Reports(received=11), COUNTS)
    ordinary = next(item for item in found.classes if item.service_class is ORDINARY)
    assert (ordinary.on_time, ordinary.late, ordinary.running, ordinary.mean_follow_up_working_days) == (3, 3, 4, 12.0)
    assert found.mean_follow_up_working_days == 10.0


def test_every_class_and_clock_is_there_even_without_cases() -> None:
    found = figures_of(Reports(), ())
    assert [item.service_class for item in found.classes] == list(ServiceClass)
    assert [item.clock for item in found.clocks] == [clock for clock in Clock if clock is not Clock.C5]
    assert found.mean_follow_up_working_days is None


def test_the_csv_says_the_same_as_the_json() -> None:
    view = FiguresView.of(date(2026, 1, 1), date(2026, 3, 31), "kota-bandung", figures_of(Reports(received=11), COUNTS))
    lines = view.as_csv().split("\r\n")
    assert lines[0] == "from,to,agency,group,of,figure,value"
    assert "2026-01-01,2026-03-31,kota-bandung,reports,,received,11" in lines
    assert "2026-01-01,2026-03-31,kota-bandung,service_class,ordinary,late,3" in lines
    assert "2026-01-01,2026-03-31,kota-bandung,service_class,information,mean_follow_up_working_days," in lines
    assert "2026-01-01,2026-03-31,kota-bandung,clock,C2,missed,2" in lines
    assert view.model_dump(mode="json", by_alias=True)["from"] == "2026-01-01"
