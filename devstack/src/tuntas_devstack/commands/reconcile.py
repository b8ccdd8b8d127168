"""`tuntas reconcile`: compares what was accepted, published, owned and delivered, case by case."""

import asyncio
from typing import Annotated

import typer

from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder
from tuntas_devstack.kafka.access import client_settings
from tuntas_devstack.state import read_databases, read_state
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.choices import Since
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.reconciliation_output import print_json, print_result
from tuntas_operations.reconciliation import Reconciler
from tuntas_operations.reconciliation.rounds import Result


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="reconcile")(said_in_one_sentence(reconcile))


def reconcile(
    folder: Folder = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a round.")] = False,
    at_rest: Annotated[bool, typer.Option("--at-rest", help="Allow nothing to be under way: every case must agree now.")] = False,
    since: Since = None,
    watch: Annotated[float | None, typer.Option(min=1, help="Compare again every so many seconds, reading only what is new.")] = None,
) -> None:
    """Prove that nothing was lost or done twice. Exit status 1 if anything differs (in the last round)."""
    stack = StackFolder(folder)
    state = read_state(stack)
    reconciler = Reconciler(state.kafka, read_databases(stack), client_settings(stack), since=since)
    try:
        result = asyncio.run(_rounds(reconciler, 0.0 if at_rest else 60.0, watch, as_json=as_json))
    finally:
        reconciler.close()
    if not result.clean:
        raise typer.Exit(1)


async def _rounds(reconciler: Reconciler, in_flight_s: float, watch: float | None, *, as_json: bool) -> Result:
    while True:
        result = await reconciler.round(in_flight_s=in_flight_s)
        print_json(result) if as_json else print_result(result)
        if watch is None:
            return result
        await asyncio.sleep(watch)
