"""`tuntas reconcile`: compares what was accepted, published, owned and delivered, case by case."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder, Since
from tuntas_devstack.commands.failure import said_in_one_sentence
from tuntas_devstack.folder import StackFolder
from tuntas_devstack.kafka.access import client_settings
from tuntas_devstack.reconciliation import Reconciler
from tuntas_devstack.reconciliation.rounds import Result
from tuntas_devstack.state import read_databases, read_state

_SHOWN = 50


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


def print_json(result: Result) -> None:
    """One JSON object with every difference."""
    told = asdict(result) | {"clean": result.clean}
    typer.echo(json.dumps(told, default=str))


def print_result(result: Result) -> None:
    """A table of the figures, and the differences by name."""
    console = Console()
    table = Table(box=None, pad_edge=False)
    for heading in ("accepted", "published", "owned by one service", "forwarded", "delivered", "events"):
        table.add_column(heading, justify="right")
    table.add_row(*(f"{n:,}" for n in (result.accepted, result.published, result.owned, result.forwarded, result.delivered, result.events)))
    console.print(table)
    if result.unreadable:
        console.print(f"{result.unreadable:,} records can't be read and are passed over: `tuntas ops parked list` shows those that wait.")
    if result.clean:
        console.print("[green]Everything agrees.[/]")
        return
    for kind, count in result.by_kind.most_common():
        console.print(f"[red]{kind}[/]: {count:,}")
    for difference in result.differences[:_SHOWN]:
        console.print(f"  {difference.case_id}  {difference.kind}: {difference.detail}")
    if len(result.differences) > _SHOWN:
        console.print(f"  … and {len(result.differences) - _SHOWN:,} more; --json names every one")
