"""`tuntas sizes`: what the broker and the databases keep, in all and for each case."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder
from tuntas_devstack.sizes import Sizes, sizes_of
from tuntas_devstack.state import read_databases, read_state
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.failure import said_in_one_sentence

_LARGEST = 4


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="sizes")(said_in_one_sentence(sizes))


def sizes(
    folder: Folder = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, in bytes.")] = False,
) -> None:
    """Show what the broker and the databases keep, in all and for each case."""
    stack = StackFolder(folder)
    read_state(stack)
    found = asyncio.run(sizes_of(stack, read_databases(stack)))
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        print_sizes(found)


def print_sizes(found: Sizes) -> None:
    """Tables of topics and databases, the largest first."""
    console = Console()
    console.print(f"{found.cases:,} cases")
    topics = Table("topic", "bytes", "bytes a case", box=None, pad_edge=False)
    for name, size in sorted(found.topics.items(), key=lambda item: -item[1]):
        topics.add_row(name, f"{size:,}", f"{found.per_case(size):,.0f}")
    console.print(topics)
    databases = Table("database", "bytes", "bytes a case", "largest tables", box=None, pad_edge=False)
    for name, size in sorted(found.databases.items(), key=lambda item: -item[1]):
        largest = sorted(found.tables[name].items(), key=lambda item: -item[1])[:_LARGEST]
        named = ", ".join(f"{table} {found.per_case(bytes_):,.0f}" for table, bytes_ in largest)
        databases.add_row(name, f"{size:,}", f"{found.per_case(size):,.0f}", named)
    console.print(databases)
