"""`tuntas demo` from end to end, as a person or a pipeline runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.timeout(900)

REPORTS, DAYS = 150, 20
TIMEOUT_S = 600.0
ENDING_S = 120.0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tuntas_operations", "demo", *arguments]


def environment(temporary: Path) -> dict[str, str]:
    return os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A small demo that was run to its end, and the folder for temporary files that it had."""
    temporary = tmp_path_factory.mktemp("demo")
    arguments = command("--reports", str(REPORTS), "--days", str(DAYS), "--json")
    done = subprocess.run(arguments, env=environment(temporary), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return done, temporary


@pytest.fixture(scope="module")
def summary(demo: tuple[subprocess.CompletedProcess[str], Path]) -> dict[str, Any]:
    done, _ = demo
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_it_says_that_all_held_and_exits_so(demo: tuple[subprocess.CompletedProcess[str], Path], summary: dict[str, Any]) -> None:
    failed = [check for check in summary["checks"] if not check["holds"]]
    assert failed == [], summary["shown_faults"]
    assert summary["ok"]
    assert demo[0].returncode == 0


def test_every_report_is_accounted_for_in_the_buckets_of_the_national_statistics(summary: dict[str, Any]) -> None:
    assert summary["accepted"] == REPORTS
    assert sum(summary["buckets"].values()) == REPORTS
    assert sum(summary["states"].values()) == REPORTS
    assert summary["buckets"]["Terdisposisi – Selesai"] == summary["states"]["closed"]
    assert summary["buckets"]["Arsip"] == summary["states"]["archived"]


def test_cases_are_closed_by_silence_and_by_satisfied_reporters(summary: dict[str, Any]) -> None:
    assert summary["closed"]["no_reply"] > REPORTS // 10
    assert summary["closed"]["satisfied"] > 0
    assert sum(summary["closed"].values()) == summary["states"]["closed"]


def test_officials_are_warned_and_some_are_late(summary: dict[str, Any]) -> None:
    assert summary["warnings"]["C2"] > 0
    assert summary["warnings"]["C5"] > 0
    assert summary["missed"]["C4"] > 0
    by_class = {one["service_class"]: one for one in summary["classes"]}
    assert sum(one["on_time"] for one in by_class.values()) > sum(one["late"] for one in by_class.values()) > 0
    assert by_class["ordinary"]["mean_follow_up_working_days"] > by_class["information"]["mean_follow_up_working_days"] > 0


def test_agencies_return_act_by_their_own_systems_and_are_refused(summary: dict[str, Any]) -> None:
    assert summary["returned"] > 0
    assert summary["pace"]["commands"] > 0
    assert sum(summary["refused"].values()) > 0
    assert summary["pace"]["requests_by_kind"]["answer a case"] > 0


def test_mails_reach_reporters_and_officers_once(summary: dict[str, Any]) -> None:
    mails = summary["mails"]
    assert mails["delivered"] == mails["distinct"] == sum(mails["by_kind"].values())
    for kind in ("receipt", "forwarded", "answered", "closed", "deadline_warning", "deadline_missed"):
        assert mails["by_kind"][kind] > 0, kind


def test_reconciliation_is_clean(summary: dict[str, Any]) -> None:
    found = summary["reconciliation"]
    assert found["clean"]
    assert found["differences"] == []
    assert found["accepted"] == found["published"] == found["owned"] == REPORTS
    assert 0 < found["forwarded"] == found["delivered"]


def test_it_needs_no_more_memory_than_promised(summary: dict[str, Any]) -> None:
    assert 200 < summary["pace"]["memory_mb"] <= 3_000


def test_progress_is_shown_and_nothing_is_left_behind(demo: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, temporary = demo
    assert "WIB" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in temporary.iterdir() if path.name.startswith("tuntas-demo")] == []


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[str], Path]]:
    """A tiny demo that is kept, what it said, and its folder; ended after the test whatever happens."""
    folder = tmp_path / "stack"
    arguments = command("--reports", "12", "--days", "1", "--keep", "--folder", str(folder))
    process = subprocess.Popen(arguments, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "tuntas reconcile" in line:
                break
        yield process, said, folder
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(ENDING_S)


def test_a_kept_demo_takes_the_report_that_it_tells_how_to_send_and_ends_on_ctrl_c(
    kept: tuple[subprocess.Popen[str], list[str], Path],
) -> None:
    process, said, folder = kept
    output = "".join(said)
    found = re.search(r"curl -s (http://127\.0\.0\.1:\d+/v1/reports) -H 'Content-Type: application/json' -d '(\{.*?\})'\n", output)
    assert found, output
    answer = httpx.post(found[1], content=found[2], headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    seen = httpx.get(f"{found[1]}/{receipt['tracking_id']}", headers={"X-Access-Code": receipt["access_code"]}, timeout=30)
    assert seen.status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(ENDING_S) == 0
    assert (folder / "mail.jsonl").exists(), "a folder that was named keeps its data"
    with pytest.raises(httpx.TransportError):
        httpx.get(found[1], timeout=5)
