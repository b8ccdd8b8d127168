"""`tuntas ops`: the commands of operators, each group in a file of its own."""

import typer

from tuntas_operations.commands import ops_agencies, ops_doctor, ops_parked, ops_reconcile, ops_topics
from tuntas_operations.settings import help_text

_HELP = """Look after an installation: parked messages, reconciliation, topics, agencies, and what is wrong with it.

Works on the local stack (`tuntas up`) of --folder; without --folder on the cluster that environment variables name, and where
they name none on the stack of the default folder. What is not set is not needed by every command; `doctor` passes it over.
"""


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    app.add_typer(ops)


def _app() -> typer.Typer:
    variables = "\n".join(["\b", "Environment variables that name a cluster:", *help_text().splitlines()])
    return typer.Typer(name="ops", help=f"{_HELP}\n{variables}", no_args_is_help=True, rich_markup_mode=None)


ops = _app()
for group in (ops_doctor, ops_parked, ops_reconcile, ops_topics, ops_agencies):
    group.register(ops)
