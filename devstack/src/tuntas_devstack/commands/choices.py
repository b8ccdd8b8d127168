"""Options that several commands share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tuntas_devstack.folder import DEFAULT_FOLDER

Folder = Annotated[Path, typer.Option("--folder", "-f", envvar="TUNTAS_FOLDER", help="Where the stack keeps its data.", show_default=True)]
Since = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"],
        metavar="TIME",
        help="Only cases accepted since then, such as 2026-11-23T10:00+07:00: topics tell too little of older ones once Kafka was lost.",
    ),
]

__all__ = ["DEFAULT_FOLDER", "Folder", "Since"]
