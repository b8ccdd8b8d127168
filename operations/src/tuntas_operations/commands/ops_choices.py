"""What the commands of `tuntas ops` share: whom they work on, and how a line is printed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

OpsFolder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        "-f",
        envvar="TUNTAS_FOLDER",
        show_default=False,
        help="A local stack's folder; without it the cluster of the environment, else the stack of .tuntas.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


def aligned(rows: Iterable[Sequence[str]], *, gap: str = "  ") -> list[str]:
    """The rows as lines, every column but the last as wide as its widest word."""
    table = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))] if table else []
    return [gap.join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]]).rstrip() for row in table]


def say_all(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines as they are."""
    for line in lines:
        typer.echo(line, err=err)
