"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from tuntas_embedded.folder import DEFAULT_FOLDER

Folder = Annotated[Path, typer.Option("--folder", "-f", envvar="TUNTAS_FOLDER", help="Where the stack keeps its data.", show_default=True)]

__all__ = ["DEFAULT_FOLDER", "Folder"]
