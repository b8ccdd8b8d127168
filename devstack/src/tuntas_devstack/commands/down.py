"""`tuntas down`: ends the stack of a folder in good order."""

import contextlib
import os
import signal
import time
from typing import Annotated

import typer

from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.failure import refused, said_in_one_sentence

_WITHIN_S = 120.0
_LOOK_S = 0.1


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="down")(said_in_one_sentence(down))


def down(
    folder: Folder = DEFAULT_FOLDER,
    delete_data: Annotated[bool, typer.Option("--delete-data", help="Also delete the folder and all its data.")] = False,
) -> None:
    """End the running stack; its data stay unless an option says otherwise."""
    stack = StackFolder(folder)
    holder = stack.holder()
    if holder is None:
        typer.echo(f"no stack runs in {stack.path}")
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder, signal.SIGTERM)
        deadline = time.monotonic() + _WITHIN_S
        while stack.holder() is not None:
            if time.monotonic() > deadline:
                raise refused(f"process {holder} has not ended within {_WITHIN_S:.0f} s: look at {stack.logs}")
            time.sleep(_LOOK_S)
        typer.echo("stopped")
    if delete_data and stack.path.is_dir():
        from tuntas_embedded.postgres.data_dir import remove_data_dir

        with stack.held():
            remove_data_dir(stack)
            stack.remove()
        typer.echo(f"deleted {stack.path}")
