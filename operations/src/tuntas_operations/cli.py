"""The command line `tuntas`: `tuntas ops` for operators, and what other distributions add.

Others add theirs by the entry points `tuntas.commands`: functions that take the app. The image of operators has none of them;
the local stack adds `up`, `down`, `status`, `reconcile` and `sizes`, the demo `demo`, `bench` and `drill`.
"""

from importlib.metadata import entry_points

import typer

from tuntas_operations.commands import ops

app = typer.Typer(
    name="tuntas",
    help="Run and look after Tuntas, the platform for public-service complaints.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _group() -> None:
    """A callback keeps `ops` a group of its own where it is the only one."""


ops.register(app)
for entry in sorted(entry_points(group="tuntas.commands"), key=lambda entry: entry.name):
    entry.load()(app)
