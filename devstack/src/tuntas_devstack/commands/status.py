"""`tuntas status`: every part with its address, process and health."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder
from tuntas_devstack.state import Part, StackState, read_state
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.failure import said_in_one_sentence

_COLOURS = {"ready": "green", "not ready": "yellow", "dead": "red"}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="status")(said_in_one_sentence(status))


def status(
    folder: Folder = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what runs. Exit status 1 if no stack runs in the folder or a part of it is not ready."""
    state = read_state(StackFolder(folder))
    if as_json:
        healths = _healths(state.parts)
        shown = asdict(state)
        shown["parts"] = [asdict(part) | {"health": health} for part, health in zip(state.parts, healths, strict=True)]
        typer.echo(json.dumps(shown, indent=1))
    else:
        healths = print_state(state)
    if any(health != "ready" for health in healths):
        raise typer.Exit(1)


def print_state(state: StackState) -> Sequence[str]:
    """Print a table of the parts; gives their healths."""
    healths = _healths(state.parts)
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "address", "pid", "health"):
        table.add_column(heading, overflow="fold")
    for part, health in zip(state.parts, healths, strict=True):
        pid = "runs elsewhere" if part.pid is None else str(part.pid)
        coloured = f"[{_COLOURS.get(health, 'white')}]{health}[/]"
        table.add_row(part.name, part.url or part.address, pid, coloured)
    Console().print(table)
    return healths


def _healths(parts: Sequence[Part]) -> Sequence[str]:
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(lambda part: part.health(), parts))
