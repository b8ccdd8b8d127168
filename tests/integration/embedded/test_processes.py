"""Children are started, watched and ended as said."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.waiting import until_it_holds
from tuntas_embedded.processes import ProcessSpec, Supervisor
from tuntas_operations.errors import PartFailed

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
ORDERLY = (
    "import pathlib, signal, sys, time\n"
    "def end(*_):\n"
    "    with open('ends', 'a') as f: f.write(sys.argv[1] + '\\n')\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(600)"
)


class Deaths:
    """The deaths that the supervisor reported."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __call__(self, part: str, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def deaths() -> Deaths:
    return Deaths()


@pytest.fixture
def supervisor(deaths: Deaths) -> Iterator[Supervisor]:
    supervisor = Supervisor(deaths)
    yield supervisor
    supervisor.stop_all()


def spec(folder: Path, code: str, name: str = "part", *arguments: str, **options: Any) -> ProcessSpec:
    log = folder / f"{name}.log"
    defaults: dict[str, Any] = {"ready": lambda: log.exists() and "up" in log.read_text(), "ready_within_s": 15.0}
    return ProcessSpec(
        name=name,
        command=[sys.executable, "-c", code, *arguments],
        log=log,
        environment=dict(os.environ),
        folder=folder,
        **(defaults | options),
    )


def test_start_returns_when_the_part_says_that_it_is_ready(tmp_path: Path, supervisor: Supervisor) -> None:
    process = supervisor.start(spec(tmp_path, SLEEPER))
    assert psutil.pid_exists(process.pid)
    assert "up" in (tmp_path / "part.log").read_text()


def test_a_part_that_ends_at_once_is_refused_with_the_tail_of_its_log(tmp_path: Path, supervisor: Supervisor) -> None:
    with pytest.raises(PartFailed) as refusal:
        supervisor.start(spec(tmp_path, "import sys; sys.exit('error: the port is in use')", "broken"))
    assert refusal.value.part == "broken"
    assert "exit code 1" in str(refusal.value)
    assert "error: the port is in use" in str(refusal.value)


def test_a_part_that_never_becomes_ready_is_ended(tmp_path: Path, supervisor: Supervisor) -> None:
    with pytest.raises(PartFailed, match="not ready within"):
        supervisor.start(spec(tmp_path, SLEEPER, ready=lambda: False, ready_within_s=0.3))
    assert supervisor.process("part").ended.is_set()


def test_a_program_that_does_not_exist_is_named(tmp_path: Path, supervisor: Supervisor) -> None:
    missing = ProcessSpec(name="ghost", command=["/nowhere/ghost"], log=tmp_path / "log", environment={}, folder=tmp_path)
    with pytest.raises(PartFailed, match="/nowhere/ghost"):
        supervisor.start(missing)


def test_a_death_is_reported_in_one_sentence(tmp_path: Path, supervisor: Supervisor, deaths: Deaths) -> None:
    process = supervisor.start(spec(tmp_path, SLEEPER, "mail"))
    os.kill(process.pid, signal.SIGKILL)
    until_it_holds(lambda: deaths.sentences, "a sentence about the death")
    assert deaths.sentences[0].startswith("mail was ended by SIGKILL")
    assert "\n" not in deaths.sentences[0]


def test_ends_that_we_ordered_are_not_reported(tmp_path: Path, supervisor: Supervisor, deaths: Deaths) -> None:
    supervisor.start(spec(tmp_path, SLEEPER, "one"))
    supervisor.start(spec(tmp_path, SLEEPER, "two"))
    supervisor.kill("one")
    supervisor.stop("two")
    assert supervisor.process("one").ended.is_set()
    assert supervisor.process("two").ended.is_set()
    assert deaths.sentences == []


def test_kill_takes_the_children_of_a_part_too(tmp_path: Path, supervisor: Supervisor) -> None:
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); print(p.pid, flush=True); p.wait()"
    supervisor.start(spec(tmp_path, code))
    log = tmp_path / "part.log"

    def numbers() -> list[int]:
        return [int(line) for line in log.read_text().splitlines() if line.isdigit()]  # the child's line may come first

    until_it_holds(numbers, "the child's number")
    [child] = numbers()
    supervisor.kill("part")
    until_it_holds(lambda: not psutil.pid_exists(child), "the child's end")


def test_a_part_that_ignores_the_signal_is_ended_by_force(tmp_path: Path, supervisor: Supervisor) -> None:
    process = supervisor.start(spec(tmp_path, STUBBORN, stop_within_s=0.3))
    supervisor.stop("part")
    assert process.exit_code == -signal.SIGKILL


def test_everything_ends_with_the_highest_stage_first(tmp_path: Path, supervisor: Supervisor) -> None:
    for name, stage in (("broker", 0), ("service", 1), ("database", 0)):
        supervisor.start(spec(tmp_path, ORDERLY, name, name, stage=stage))
    supervisor.stop_all()
    ends = (tmp_path / "ends").read_text().split()
    assert ends[0] == "service"
    assert sorted(ends[1:]) == ["broker", "database"]


def test_restart_runs_the_same_again_as_another_process(tmp_path: Path, supervisor: Supervisor) -> None:
    first = supervisor.start(spec(tmp_path, SLEEPER))
    supervisor.kill("part")
    second = supervisor.restart("part")
    assert second.pid != first.pid
    assert psutil.pid_exists(second.pid)


def test_the_same_part_is_not_started_twice(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.start(spec(tmp_path, SLEEPER))
    with pytest.raises(PartFailed, match="runs already"):
        supervisor.start(spec(tmp_path, SLEEPER))


def test_stopping_everything_breaks_off_a_start_that_still_waits(tmp_path: Path, supervisor: Supervisor) -> None:
    begun = threading.Event()
    failures: list[Exception] = []

    def never_ready() -> bool:
        begun.set()
        return False

    def start() -> None:
        try:
            supervisor.start(spec(tmp_path, SLEEPER, ready=never_ready, ready_within_s=60))
        except PartFailed as error:
            failures.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    assert begun.wait(10)
    supervisor.stop_all()
    thread.join(10)
    assert not thread.is_alive()
    assert failures
    with pytest.raises(PartFailed, match="being stopped"):
        supervisor._spawn(spec(tmp_path, SLEEPER, "late"))


def test_run_returns_only_after_success(tmp_path: Path, supervisor: Supervisor, deaths: Deaths) -> None:
    supervisor.run(spec(tmp_path, "print('done')", "once"))
    with pytest.raises(PartFailed, match="exit code 3"):
        supervisor.run(spec(tmp_path, "raise SystemExit(3)", "twice"))
    assert deaths.sentences == []


SHORT_LIVES = 300


def short_lived(folder: Path, program: str) -> ProcessSpec:
    return ProcessSpec(name="program", command=[program], log=folder / "program.log", environment={}, folder=folder)


def test_a_program_that_ends_at_once_is_never_reported_as_a_death(tmp_path: Path, supervisor: Supervisor, deaths: Deaths) -> None:
    for _ in range(SHORT_LIVES):
        supervisor.run(short_lived(tmp_path, "/bin/true"))
        with pytest.raises(PartFailed, match="exit code 1"):
            supervisor.run(short_lived(tmp_path, "/bin/false"))
    assert deaths.sentences == []


def test_a_part_that_ends_at_once_is_reported_once_by_exception_or_as_a_death(
    tmp_path: Path, supervisor: Supervisor, deaths: Deaths
) -> None:
    refusals = 0
    for _ in range(SHORT_LIVES):
        try:
            process = supervisor.start(short_lived(tmp_path, "/bin/false"))
        except PartFailed:
            refusals += 1
        else:
            process.ended.wait()
    until_it_holds(lambda: refusals + len(deaths.sentences) >= SHORT_LIVES, "word of every end")
    assert refusals + len(deaths.sentences) == SHORT_LIVES


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux notifies a child of its parent's death")
def test_children_die_with_a_killed_parent_even_if_the_starting_thread_is_gone(tmp_path: Path) -> None:
    parent_code = (
        "import os, sys, threading, time\n"
        "from pathlib import Path\n"
        "from tuntas_embedded.processes import ProcessSpec, Supervisor\n"
        "supervisor, folder = Supervisor(), Path(sys.argv[1])\n"
        "def start():\n"
        "    process = supervisor.start(ProcessSpec(name='child', command=[sys.executable, '-c', sys.argv[2]],\n"
        "        log=folder / 'child.log', environment=dict(os.environ), folder=folder))\n"
        "    print(process.pid, flush=True)\n"
        "thread = threading.Thread(target=start); thread.start(); thread.join()\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code, str(tmp_path), SLEEPER], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until_it_holds(lambda: "up" in (tmp_path / "child.log").read_text(), "the child's start, long after its thread's end")
    parent.kill()
    parent.wait()
    until_it_holds(lambda: not psutil.pid_exists(child), "the child's end")
