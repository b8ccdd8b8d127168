"""The command line `tuntas`: assembles the commands, each of which lives in its own file of `commands/`.

Other distributions add theirs by the entry points `tuntas.commands`: functions that take the app.
"""

from importlib.metadata import entry_points

import typer

from tuntas_devstack.commands import down, reconcile, sizes, status, up
from tuntas_operations.commands import ops

app = typer.Typer(
    name="tuntas",
    help="Tuntas on one machine: broker, database and the five services, with no container engine.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

for entry in entry_points(group="tuntas.commands"):
    entry.load()(app)
for command in (up, down, status, reconcile, sizes, ops):
    command.register(app)
