"""What the demo refuses, how it moves time, and what it shows."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tuntas_chassis.clock import SimulatedClock
from tuntas_contracts.vocabulary import CaseState
from tuntas_demo.display import LineDisplay, drawn, line, moment_of
from tuntas_demo.office_hours import WIB
from tuntas_demo.options import DemoFailed, DemoOptions, stack_options
from tuntas_demo.pipeline_snapshot import PipelineSnapshot, by_bucket
from tuntas_demo.time import SimulatedTime, start_clock
from tuntas_operations.cli import app


def test_a_folder_with_a_stacks_data_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / "secrets.json"
    kept.write_text("{}")
    result = CliRunner().invoke(app, ["demo", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "holds the data of a stack" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("arguments", [["--reports", "0"], ["--days", "0"], ["--days", "9999"]])
def test_numbers_out_of_range_are_refused_in_one_sentence(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 1
    assert "is not between" in result.output
    assert "Traceback" not in result.output


def test_a_demo_never_plays_on_servers_that_somebody_else_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNTAS_KAFKA", "kafka.example:9092")
    monkeypatch.setenv("TUNTAS_DATABASE", "postgresql://somebody@db.example/postgres")
    options = stack_options()
    assert (options.kafka, options.database, options.simulated_clock) == (None, None, True)


def test_the_command_offers_the_defaults_that_the_demo_has() -> None:
    from tuntas_demo.commands import demo

    assert (DemoOptions().reports, DemoOptions().days) == (demo._REPORTS, demo._DAYS)


async def test_time_steps_only_once_all_is_idle_and_never_back(tmp_path: Path) -> None:
    clock = SimulatedClock.create(tmp_path / "clock")
    morning = datetime(2026, 7, 30, 3, tzinfo=UTC)
    start_clock(clock, morning)
    waited: list[tuple[datetime, datetime]] = []

    async def idle(until: datetime) -> None:
        waited.append((until, clock.now()))

    time = SimulatedTime(clock, idle)
    await time.advance_to(morning + timedelta(days=1))
    assert waited[0][1] < morning + timedelta(minutes=5)  # asked before the step
    assert morning + timedelta(days=1) <= clock.now() < morning + timedelta(days=1, minutes=5)
    await time.wait_until_idle()
    assert waited[-1][0] == morning + timedelta(days=1)
    with pytest.raises(DemoFailed):
        await time.advance_to(morning)


def snapshot(now: datetime = datetime(2026, 8, 17, 10, 5, tzinfo=WIB)) -> PipelineSnapshot:
    return PipelineSnapshot(
        now=now,
        day=13,
        days=25,
        day_off=True,
        doing="everybody acts",
        reports=2_000,
        accepted=1_234,
        buckets=by_bucket({CaseState.RECEIVED: 34, CaseState.CLOSED: 1_200}),
        events={"CaseForwarded": 1_300, "CaseAnswered": 900},
        closed={"no_reply": 800, "satisfied": 400},
        warnings={"C10": 2, "C2": 70},
        missed={"C2": 7},
        mails=5_678,
        messages=43_210,
        messages_per_s=567.0,
        requests=8_765,
        commands=321,
        refused=4,
        faults=0,
        seconds=33.0,
    )


def test_a_line_shows_the_moment_and_the_states_of_the_reports() -> None:
    shown = line(snapshot())
    assert moment_of(snapshot()) == "Senin 17 Agustus 2026, 10.05 WIB"
    for expected in ("Senin 17 Agustus 2026", "1,234 accepted", "Terdisposisi – Selesai 1,200", "warnings 72, missed 7", "mails 5,678"):
        assert expected in shown
    assert "Tertunda" not in shown


def test_the_live_display_shows_every_bucket_and_clock() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(drawn(snapshot()))
    shown = console.export_text()
    for expected in ("libur", "Belum Terverifikasi (nasional)", "Tertunda", "Arsip", "800", "C10", "5,678", "working day 13 of 25"):
        assert expected in shown
    assert shown.index("C2 ") < shown.index("C10")


def test_lines_are_written_only_every_few_seconds() -> None:
    written: list[str] = []
    with LineDisplay(written.append) as display:
        display.say("starting")
        display.follow(snapshot)
        for _ in range(50):
            display.tick()
    assert len(written) == 2
