"""`tuntas up | status | down` as a person at a terminal has them; the services themselves are left out (`--services ""`)."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until_it_holds

UP = ("--services", "", "--agencies", "kemenkes")


class Terminal:
    """Runs `tuntas` on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("TUNTAS_")}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tuntas_operations", *arguments, "--folder", str(self.folder)]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=self.environment | environment,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            start_new_session=True,
        )

    def pids(self) -> list[int]:
        status = json.loads(self.run("status", "--json").stdout)
        return [part["pid"] for part in status["parts"]]

    def leftovers(self) -> list[str]:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(self.folder) in line and "status" not in line:
                found.append(line)
        return found


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "stack")
    yield terminal
    terminal.run("down", "--delete-data")


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that failed."""
    assert result.returncode == 1, result
    assert "Traceback" not in result.stderr + result.stdout
    (sentence,) = result.stderr.strip().splitlines()
    return sentence


def test_up_in_the_background_status_and_down(terminal: Terminal) -> None:
    assert "no stack runs" in refused(terminal.run("status"))
    assert "no stack runs" in refused(terminal.run("sizes"))

    up = terminal.run("up", "--detach", *UP)
    assert up.returncode == 0, up.stderr
    status = terminal.run("status", "--json")
    assert status.returncode == 0
    parts = {part["name"]: part for part in json.loads(status.stdout)["parts"]}
    assert list(parts) == ["kafka", "postgres", "mail", "issuer"]
    assert {part["health"] for part in parts.values()} == {"ready"}
    assert all(psutil.pid_exists(part["pid"]) and part["address"] for part in parts.values())
    assert parts["kafka"]["address"] in terminal.run("status").stdout
    sizes = json.loads(terminal.run("sizes", "--json").stdout)
    assert (sizes["cases"], sizes["topics"]["tuntas.cases.v1"]) == (0, 0)
    assert "tuntas.agency-actions.{agency}.v1" in terminal.run("sizes").stdout
    assert "in use by another running stack" in refused(terminal.run("up", *UP))
    assert "in use by another running stack" in refused(terminal.run("up", "--detach", *UP))

    os.kill(parts["mail"]["pid"], signal.SIGKILL)
    until_it_holds(lambda: terminal.run("status", "--json").returncode == 1, "the death to be seen")
    parts = json.loads(terminal.run("status", "--json").stdout)["parts"]
    assert {part["name"]: part["health"] for part in parts}["mail"] == "dead"
    assert "mail was ended by SIGKILL" in (terminal.folder / "logs" / "up.err").read_text()

    down = terminal.run("down")
    assert (down.returncode, down.stdout) == (0, "stopped\n")
    until_it_holds(lambda: not terminal.leftovers(), "every process ended")  # the one that held the folder releases it as its last action
    assert terminal.run("down", "--delete-data").returncode == 0
    assert not terminal.folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything_cleanly(terminal: Terminal, number: signal.Signals) -> None:
    process = terminal.begin("up", *UP)
    until_it_holds(lambda: terminal.run("status").returncode == 0, "the stack to be ready")
    pids = terminal.pids()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.rstrip().endswith("stopped")
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_ctrl_c_while_it_still_starts_leaves_nothing_behind(terminal: Terminal) -> None:
    process = terminal.begin("up", *UP)
    assert process.stdout is not None
    assert "starting" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    until_it_holds(lambda: terminal.leftovers() == [], "every process to be gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux notifies a child of its parent's death")
def test_if_tuntas_itself_is_killed_its_children_end_and_the_next_start_works(terminal: Terminal) -> None:
    process = terminal.begin("up", *UP)
    until_it_holds(lambda: terminal.run("status").returncode == 0, "the stack to be ready")
    pids = terminal.pids()
    process.kill()
    process.communicate()
    until_it_holds(lambda: not [pid for pid in pids if psutil.pid_exists(pid)], "the children's end")
    assert terminal.run("up", "--detach", *UP).returncode == 0


def test_a_port_that_is_taken_is_named(terminal: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port}, chosen for mail, is taken" in refused(terminal.run("up", *UP, "--port", f"mail={port}"))


def test_a_database_that_does_not_answer_is_named(terminal: Terminal) -> None:
    result = terminal.run("up", *UP, TUNTAS_DATABASE="postgresql://postgres:x@127.0.0.1:1/postgres")
    assert "PostgreSQL at 127.0.0.1:1 does not answer" in refused(result)


def test_without_network_and_cache_it_is_said(terminal: Terminal, tmp_path: Path) -> None:
    elsewhere = {"XDG_CACHE_HOME": str(tmp_path / "empty"), "HTTPS_PROXY": "http://127.0.0.1:1"}
    result = terminal.run("up", *UP, **elsewhere)
    assert "Kafka 4.3.1 could not be fetched" in refused(result)
    assert terminal.leftovers() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "mail"), "not of the form name=number"),
        (("--replicas", "postman=2"), "there is no service postman"),
        (("--services", "postman"), "there is no service postman"),
    ],
)
def test_what_is_not_understood_is_said(terminal: Terminal, arguments: tuple[str, str], sentence: str) -> None:
    assert sentence in refused(terminal.run("up", *arguments))
