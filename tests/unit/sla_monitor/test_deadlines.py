"""Deadlines and warnings, computed by hand from the decreed holidays of 2025 to 2027."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_monitor.domain.deadlines import Deadline
from tests.unit.sla_monitor.builders import PLANNER, wib
from tuntas_contracts.vocabulary import Clock, ServiceClass, WarningLevel
from tuntas_reference.calendar import CalendarError
from tuntas_reference.profile import DEFAULT_PROFILE, load_profile

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001  (bounds must be naive)
L = WarningLevel


def plan(
    clock: Clock, at: datetime, zone: str = "Asia/Jakarta", service_class: ServiceClass | None = None, limit: int | None = None
) -> Deadline:
    return PLANNER.plan(DEFAULT_PROFILE, clock, at, zone, service_class, limit)


def moments(found: Deadline) -> dict[str, datetime]:
    return {f"{c.clock.value} {c.level.value}": c.fire_at for c in found.checkpoints}


def test_verification_before_idul_fitri_2025_is_due_after_it() -> None:
    # day 1 Thu 27 March; 28 March to 7 April are free; day 2 Tue 8, day 3 Wed 9 April
    found = plan(Clock.C2, wib("2025-03-26 10:00"))
    assert found.due_at == wib("2025-04-10 00:00") == datetime(2025, 4, 9, 17, tzinfo=UTC)
    assert moments(found) == {"C2 reminder": wib("2025-04-08 08:00"), "C2 missed": found.due_at}
    assert not found.provisional


def test_a_free_day_counts_as_day_0_like_any_other() -> None:
    assert plan(Clock.C2, wib("2025-03-29 23:30")).due_at == wib("2025-04-11 00:00")  # Tue 8, Wed 9, Thu 10 April


def test_each_zone_has_its_own_day_0_and_midnight() -> None:
    at = datetime(2025, 3, 26, 15, 30, tzinfo=UTC)  # 22:30 in Jakarta, 23:30 in Makassar, 00:30 of the 27th in Jayapura
    assert plan(Clock.C2, at, "Asia/Jakarta").due_at == datetime(2025, 4, 9, 17, tzinfo=UTC)
    assert plan(Clock.C2, at, "Asia/Makassar").due_at == datetime(2025, 4, 9, 16, tzinfo=UTC)
    assert plan(Clock.C2, at, "Asia/Jayapura").due_at == datetime(2025, 4, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize("clock", [Clock.C1, Clock.C10])
def test_nationally_owned_clocks_run_on_jakarta(clock: Clock) -> None:
    at = datetime(2025, 3, 26, 15, 30, tzinfo=UTC)
    assert plan(clock, at, "Asia/Jayapura") == plan(clock, at, "Asia/Jakarta")


def test_an_ordinary_complaint_over_nyepi_and_idul_fitri_2026() -> None:
    # 13, 16, 17 March; 18 to 24 March are free; 25, 26, 27 (day 6), 30, 31 March, 1, 2 April; 3 April Good Friday; 6, 7, 8, 9 (day 14)
    found = plan(Clock.C4, wib("2026-03-12 09:00"), service_class=ServiceClass.ORDINARY)
    assert found.due_at == wib("2026-04-10 00:00")
    assert moments(found) == {
        "C5 checkpoint": wib("2026-03-27 08:00"),
        "C4 missed": found.due_at,
        "C4 escalated": wib("2026-04-16 08:00"),
    }


def test_the_first_follow_up_warns_at_the_end_of_day_3_and_is_red_on_day_5() -> None:
    found = plan(Clock.C3, wib("2026-03-12 09:00"))
    assert moments(found) == {"C3 yellow": wib("2026-03-18 00:00"), "C3 red": wib("2026-03-27 00:00")}
    assert found.due_at == wib("2026-03-27 00:00")


def test_information_over_the_turn_of_the_year_warns_on_day_2() -> None:
    # 24, 25 December free; 28, 29 (day 2), 30, 31 December; 1 January free; Mon 4 January 2027
    found = plan(Clock.C4, wib("2026-12-23 16:00"), service_class=ServiceClass.INFORMATION)
    assert found.due_at == wib("2027-01-05 00:00")
    assert moments(found)["C5 checkpoint"] == wib("2026-12-29 08:00")


def test_sixty_working_days_warn_on_day_25() -> None:
    found = plan(Clock.C4, wib("2025-09-01 12:00"), service_class=ServiceClass.SUPERVISORY)
    assert found.due_at == wib("2025-11-26 00:00")
    assert moments(found)["C5 checkpoint"] == wib("2025-10-07 08:00")


def test_the_reporter_has_ten_working_days_and_is_reminded_three_before() -> None:
    found = plan(Clock.C6, wib("2025-03-25 10:00"))
    assert found.due_at == wib("2025-04-18 00:00")
    assert moments(found) == {"C6 reminder": wib("2025-04-14 08:00"), "C6 missed": found.due_at}


def test_arbitration_has_one_working_day() -> None:
    found = plan(Clock.C10, wib("2025-12-24 10:00"))
    assert found.due_at == wib("2025-12-30 00:00")
    assert moments(found) == {"C10 missed": found.due_at}


def test_a_shortened_limit_tells_the_past_checkpoint_at_once() -> None:
    at = wib("2026-07-01 10:00")
    found = plan(Clock.C4, at, service_class=ServiceClass.ORDINARY, limit=3)
    assert found.due_at == wib("2026-07-07 00:00")
    assert found.checkpoints[0].fire_at == at
    assert list(moments(found)) == ["C5 checkpoint", "C4 missed", "C4 escalated"]


def test_a_limit_shorter_than_a_level_leaves_that_level_out() -> None:
    assert moments(plan(Clock.C3, wib("2026-07-01 10:00"), limit=1)) == {"C3 red": wib("2026-07-03 00:00")}


def test_a_deadline_in_a_year_that_is_not_decreed_is_provisional() -> None:
    found = plan(Clock.C4, wib("2027-12-20 10:00"), service_class=ServiceClass.ORDINARY)
    assert found.provisional
    assert not plan(Clock.C2, wib("2027-12-20 10:00")).provisional


def test_an_unknown_zone_is_refused_with_advice() -> None:
    with pytest.raises(CalendarError, match="Asia/Jayapura"):
        plan(Clock.C2, wib("2026-07-01 10:00"), "Asia/Bandung")


@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(list(ServiceClass)), st.integers(1, 60))
def test_checkpoints_are_in_order_after_the_start_and_no_level_twice(
    at: datetime, zone: str, service_class: ServiceClass, limit: int
) -> None:
    found = plan(Clock.C4, at, zone, service_class, limit)
    fire_ats = [checkpoint.fire_at for checkpoint in found.checkpoints]
    assert fire_ats == sorted(fire_ats)
    assert fire_ats[0] >= at
    assert sum(fire_at == at for fire_at in fire_ats) <= 1
    assert len({(c.clock, c.level) for c in found.checkpoints}) == len(found.checkpoints)
    local = found.due_at.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    assert PLANNER.calendar.is_working_day((local - timedelta(seconds=1)).date())


@given(
    MOMENTS,
    st.timedeltas(timedelta(), timedelta(days=30)),
    st.sampled_from(ZONES),
    st.sampled_from([rule.code for rule in load_profile().clocks]),
)
def test_who_starts_later_is_never_due_earlier(at: datetime, later: timedelta, zone: str, clock: Clock) -> None:
    clock = Clock.C4 if clock is Clock.C5 else clock
    service_class = ServiceClass.NORMATIVE
    assert plan(clock, at + later, zone, service_class).due_at >= plan(clock, at, zone, service_class).due_at
