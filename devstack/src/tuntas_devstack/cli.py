"""The command line `tuntas`: assembles the commands, each of which lives in its own file of `commands/`."""

import typer

from tuntas_devstack.commands import bench, demo, down, drill, reconcile, sizes, status, up
from tuntas_operations.commands import ops

app = typer.Typer(
    name="tuntas",
    help="Tuntas on one machine: broker, database and the five services, with no container engine.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

for command in (demo, bench, up, down, status, reconcile, sizes, drill, ops):
    command.register(app)
