"""`python -m tuntas_devstack.kafka <agency code>`: makes the user of an agency's system in a running stack, and prints its password."""

from typing import Annotated

import typer

from tuntas_devstack.commands.choices import DEFAULT_FOLDER, Folder
from tuntas_devstack.kafka.agencies import agency_credentials
from tuntas_devstack.state import read_state
from tuntas_embedded.folder import StackFolder
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.errors import StackError


def password(agency: Annotated[str, typer.Argument(help="The agency's code.")], folder: Folder = DEFAULT_FOLDER) -> None:
    """Print the password of the user `agency.<code>`."""
    stack = StackFolder(folder)
    user = agency_credentials(stack, read_state(stack), agency)
    if user is None:
        raise StackError("the broker of this stack asks for no password: connect without one")
    typer.echo(user.password)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(said_in_one_sentence(password))
    app()
