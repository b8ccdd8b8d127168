"""One clock for all processes of a stack, and only business time moves with it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuntas_chassis.clock import SimulatedClock, SystemClock

A_DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clock"


def test_a_step_is_seen_by_every_opening(path: Path) -> None:
    ours, theirs = SimulatedClock.create(path), SimulatedClock(path)
    before = theirs.now()
    ours.set_offset(A_DAY)
    assert theirs.offset == A_DAY
    assert A_DAY <= theirs.now() - before < A_DAY + timedelta(minutes=1)


def test_a_step_is_seen_by_another_process(path: Path) -> None:
    SimulatedClock.create(path).set_offset(A_DAY)
    program = "import sys, pathlib, tuntas_chassis.clock as c; print(c.SimulatedClock(pathlib.Path(sys.argv[1])).offset.total_seconds())"
    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert float(result.stdout) == A_DAY.total_seconds()


def test_a_clock_recreated_in_place_takes_processes_that_have_it_open_back_to_real_time(path: Path) -> None:
    opened = SimulatedClock.create(path)
    opened.set_offset(A_DAY)
    SimulatedClock.create(path)
    assert opened.offset == timedelta()


def test_a_clock_that_nobody_made_is_not_opened(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SimulatedClock(path)


@given(st.timedeltas(min_value=timedelta(days=-3650), max_value=timedelta(days=3650)), st.integers(0, 4_000_000_000_000))
def test_the_brokers_time_moves_by_the_same_offset(tmp_path_factory: pytest.TempPathFactory, offset: timedelta, timestamp_ms: int) -> None:
    clock = SimulatedClock.create(tmp_path_factory.getbasetemp() / "clock")
    clock.set_offset(offset)
    assert clock.offset == offset
    assert clock.from_broker(timestamp_ms) - SystemClock().from_broker(timestamp_ms) == offset


def test_times_are_aware_and_in_utc(path: Path) -> None:
    for clock in (SystemClock(), SimulatedClock.create(path)):
        assert clock.now().tzinfo is UTC
        assert clock.from_broker(0) == datetime(1970, 1, 1, tzinfo=UTC)
        assert clock.from_broker(1_767_600_000_123).microsecond == 123_000
