"""`tuntas bench`: measures the platform under load."""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tuntas_contracts.vocabulary import Service
from tuntas_demo.bench.bodies import bodies
from tuntas_demo.bench.figures import as_json_object, print_figures
from tuntas_demo.bench.measure import Incomplete, Measurement, measure
from tuntas_demo.bench.raw import RawMeasurement, measure_raw
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import StackState, read_databases, read_state
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.errors import StackError

_WARM_UP = 1_500


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="bench")(said_in_one_sentence(bench))


def bench(
    folder: Annotated[Path | None, typer.Option("--folder", "-f", help="A running stack; one is started for the run without it.")] = None,
    reports: Annotated[int, typer.Option(min=100, help="How many reports to send at full speed.")] = 12_000,
    rate: Annotated[float | None, typer.Option(min=1, help="Send so many a second (open loop) instead of as fast as it goes.")] = None,
    raw: Annotated[bool, typer.Option(help="Measure the raw pipeline too.")] = True,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure reports per second from HTTP to agency topic, latencies, and CPU per report over all processes.

    First at full speed, then, unless --rate is given, at half that rate for the latencies.
    """

    def say(step: str) -> None:
        if not as_json_:
            typer.echo(step, err=True)

    with _stack(folder, say) as (home, state, databases):
        try:
            asyncio.run(_warm_up(home, state, databases))
            say(f"sending {reports:,} reports")
            full = asyncio.run(measure(home, state, databases, bodies(state.agencies, reports), rate))
            paced = full
            if rate is None:
                half = full.reports_per_s / 2
                number = max(int(half * 15), 100)
                say(f"sending {number:,} reports at {half:.0f} a second")
                paced = asyncio.run(measure(home, state, databases, bodies(state.agencies, number), half))
        except Incomplete as error:
            raise StackError(str(error)) from error
        raw_figures: RawMeasurement | None = None
        if raw:
            say("the raw pipeline: the same bytes by bare clients")
            raw_figures = measure_raw(home, state, databases["admin"], bodies(state.agencies, reports))
    _print(full, paced, raw_figures, as_json=as_json_)


async def _warm_up(home: StackFolder, state: StackState, databases: dict[str, str]) -> None:
    await measure(home, state, databases, bodies(state.agencies, _WARM_UP), None)


def _print(full: Measurement, paced: Measurement, raw: RawMeasurement | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(as_json_object(full, paced, raw)))
    else:
        print_figures(full, paced, raw)


@contextmanager
def _stack(folder: Path | None, say: object) -> Iterator[tuple[StackFolder, StackState, dict[str, str]]]:
    if folder is not None:
        running = StackFolder(folder)
        yield running, read_state(running), read_databases(running)
        return
    with tempfile.TemporaryDirectory(prefix="tuntas-bench-") as place:
        Path(place).chmod(0o711)
        os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
        # a mail relay takes so many a second; what it does not take yet waits in the queue, and is counted there
        options = StackOptions(environment={Service.NOTIFIER: {"TUNTAS_MAILS_PER_SECOND": "20"}})
        stack = Stack(Path(place) / "stack", options, say=say)  # type: ignore[arg-type]
        with stack:
            yield stack.folder, stack.state, read_databases(stack.folder)
        stack.delete_data()
