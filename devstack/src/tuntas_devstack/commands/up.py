"""`tuntas up`: starts the whole platform and keeps it until Ctrl-C, or in the background with `--detach`."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder
from tuntas_devstack.commands.status import print_state
from tuntas_devstack.options import StackOptions
from tuntas_devstack.state import StackState, read_state
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.choices import MANY, service_named, words
from tuntas_operations.commands.choices import services as services_of
from tuntas_operations.commands.failure import refused, said_in_one_sentence
from tuntas_operations.errors import NotRunning, StackError

_LOOK_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="up")(said_in_one_sentence(up))


def up(
    folder: Folder = DEFAULT_FOLDER,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Go on in the background once all is ready.")] = False,
    agencies: Annotated[
        list[str] | None, typer.Option(help=f"Codes of the agencies that get topics; the whole register by default. {MANY}")
    ] = None,
    port: Annotated[list[str] | None, typer.Option(help=f"Fix a part's port, e.g. --port intake=8080. {MANY}")] = None,
    replicas: Annotated[list[str] | None, typer.Option(help=f"Run more processes of a service, e.g. --replicas triage=2. {MANY}")] = None,
    services: Annotated[list[str] | None, typer.Option(help=f'Start only these (none: ""), to run the others by hand. {MANY}')] = None,
    brokers: Annotated[
        int, typer.Option(min=1, max=3, help="How many brokers run: of 3 every topic has 3 replicas, of which 2 must have a record.")
    ] = 1,
    simulated_clock: Annotated[
        bool, typer.Option("--simulated-clock", help="Let business time be moved for all services at once.")
    ] = False,
    trace_ratio: Annotated[float, typer.Option(min=0, max=1, help="Share of reports that are traced.")] = 0.01,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    observe: Annotated[bool, typer.Option("--observe", help="Run Prometheus beside it, with our rules and alerts.")] = False,
) -> None:
    """Start Kafka, PostgreSQL, a mail sink, a token issuer and the five services on free loopback ports."""
    only = services_of(services)
    options = StackOptions(
        agencies=words(agencies),
        services=tuple(Service) if only is None else only,
        ports=_numbers("--port", port),
        replicas={service_named(name): count for name, count in _numbers("--replicas", replicas).items()},
        simulated_clock=simulated_clock,
        trace_ratio=trace_ratio,
        log_level=log_level,
        observe=observe,
        brokers=brokers,
    )
    if detach:
        _detached(StackFolder(folder))
    else:
        _attached(folder, options)


def _attached(folder: Path, options: StackOptions) -> None:
    # Imported here, with all its clients: `tuntas status` and `--help` do without.
    from tuntas_devstack.stack import Stack

    stack = Stack(folder, options, say=_say, on_death=lambda part, sentence: typer.echo(f"tuntas: {sentence}", err=True))
    with _interrupted_by_signals():
        try:
            stack.start()
            print_state(stack.state)
            _say_where_metrics_are(stack.state)
            _say(f"ready; data and logs are in {stack.folder.path}; Ctrl-C ends it")
            threading.Event().wait()
        except KeyboardInterrupt:
            _say("stopping")
        finally:
            with _deaf_to_signals():
                stack.stop()
    _say("stopped")


def _detached(folder: StackFolder) -> None:
    """Start the same command again in a session of its own and wait until it is ready or has said why not."""
    folder.make()
    if folder.holder() is not None:
        with folder.held():
            pass  # says who holds it
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--detach", "-d")]
    said, complained = folder.logs / "up.log", folder.logs / "up.err"
    with said.open("wb") as out, complained.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "tuntas_operations", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        while True:
            try:
                process.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                if _is_ready(folder, process.pid):
                    break
                continue
            lines = complained.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise refused(lines[-1].removeprefix("tuntas: ") if lines else f"the stack ended (see {said})")
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    state = read_state(folder)
    print_state(state)
    _say_where_metrics_are(state)
    _say(f"ready; process {process.pid} keeps it; `tuntas down --folder {folder.path}` ends it")


def _is_ready(folder: StackFolder, pid: int) -> bool:
    try:
        state = read_state(folder)
    except NotRunning:
        return False
    return state.supervisor == pid and state.phase == "ready"


def _say_where_metrics_are(state: StackState) -> None:
    for part in state.parts:
        if part.kind == "prometheus":
            _say(f"metrics, rules and alerts: {part.url}/alerts")


def _say(step: str) -> None:
    typer.echo(step)


def _numbers(option: str, given: list[str] | None) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for word in words(given) or []:
        name, _, number = word.partition("=")
        if not name or not number.isdigit():
            raise StackError(f"{option} {word} is not of the form name=number")
        if numbers.get(name, int(number)) != int(number):
            raise StackError(f"{option} names {name} twice, with {numbers[name]} and {number}: name it once")
        numbers[name] = int(number)
    return numbers


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP (the terminal was closed) do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _deaf_to_signals() -> Iterator[None]:
    """Keep signals from interrupting an orderly end; what hangs is ended by force in its time."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
