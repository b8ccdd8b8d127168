"""What every command does with what can't be had: one sentence on stderr, exit status 1, no traceback."""

import errno
import functools
from collections.abc import Callable
from typing import ParamSpec

import typer

from tuntas_operations.errors import StackError

P = ParamSpec("P")


def said_in_one_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Let a command end with the sentence of a `StackError`, of a full disk, or of Ctrl-C."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except StackError as error:
            raise refused(str(error)) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise refused(f"the disk is full: free some room and try again ({error})") from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return wrapped


def refused(sentence: str) -> typer.Exit:
    """Say a sentence on stderr; gives the exception that ends the command with status 1."""
    typer.echo(f"tuntas: {' '.join(sentence.split())}", err=True)
    return typer.Exit(1)
