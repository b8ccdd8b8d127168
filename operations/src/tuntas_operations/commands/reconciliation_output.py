"""The result of a reconciliation on a terminal."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from tuntas_operations.reconciliation.rounds import Result

_SHOWN = 50


def print_json(result: Result) -> None:
    """One JSON object with every difference."""
    output = asdict(result) | {"clean": result.clean}
    typer.echo(json.dumps(output, default=str))


def print_result(result: Result) -> None:
    """A table of the figures, and the differences by name."""
    console = Console()
    table = Table(box=None, pad_edge=False)
    for heading in ("accepted", "published", "owned by one service", "forwarded", "delivered", "events"):
        table.add_column(heading, justify="right")
    table.add_row(*(f"{n:,}" for n in (result.accepted, result.published, result.owned, result.forwarded, result.delivered, result.events)))
    console.print(table)
    if result.unreadable:
        console.print(f"{result.unreadable:,} records can't be read and are skipped: `tuntas ops parked list` shows those that wait.")
    if result.clean:
        console.print("[green]Everything agrees.[/]")
        return
    for kind, count in result.by_kind.most_common():
        console.print(f"[red]{kind}[/]: {count:,}")
    for difference in result.differences[:_SHOWN]:
        console.print(f"  {difference.case_id}  {difference.kind}: {difference.detail}")
    if len(result.differences) > _SHOWN:
        console.print(f"  … and {len(result.differences) - _SHOWN:,} more; --json names every one")
