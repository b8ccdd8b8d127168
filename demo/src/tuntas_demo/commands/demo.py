"""`tuntas demo`: the whole platform at work, on this machine, in a minute."""

import contextlib
import json
import shlex
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tuntas_operations.commands.failure import said_in_one_sentence

if TYPE_CHECKING:
    from tuntas_demo import Summary
    from tuntas_devstack.stack import Stack

_REPORTS, _DAYS = 2_000, 20
_EXAMPLE = {
    "classification": "complaint",
    "title": "Lampu jalan padam di depan pasar",
    "body": "Sudah seminggu lampu jalan di depan pasar mati, mohon diperbaiki.",
    "reporter": {"name": "Siti Rahayu", "email": "siti.rahayu@surel.example"},
}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="demo")(said_in_one_sentence(demo))


def demo(
    reports: Annotated[int, typer.Option(help="How many reports come in.")] = _REPORTS,
    days: Annotated[int, typer.Option(help="How many simulated working days pass.")] = _DAYS,
    seed: Annotated[int, typer.Option(help="Another seed writes other reports and plays otherwise.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running at the end, until Ctrl-C, and say what to open.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", "-f", help="A new folder for its data, which stay there; a temporary one by default.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object; progress goes to stderr.")] = False,
) -> None:
    """Watch the platform work: reports come in, officials act, deadlines pass. Exit status 0 only if everything held."""
    # Imported here, with all its clients: the other commands and `--help` do without.
    from tuntas_demo import DemoOptions, run_demo
    from tuntas_demo.display import Display, LineDisplay, LiveDisplay
    from tuntas_demo.report_printer import print_summary

    options = DemoOptions(reports=reports, days=days, seed=seed)
    console = Console(stderr=as_json)
    display: Display = LiveDisplay(console) if console.is_terminal else LineDisplay(lambda step: typer.echo(step, err=as_json))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # all do what Ctrl-C does, even if the shell had it ignored

    def afterwards(stack: "Stack", summary: "Summary") -> None:
        if as_json:
            typer.echo(json.dumps(summary.as_json(), default=str))
        else:
            print_summary(summary, console)
        if keep:
            _keep(stack, console)

    summary = run_demo(folder, options, display, afterwards)
    if not summary.ok:
        raise typer.Exit(1)


def _keep(stack: "Stack", console: Console) -> None:
    """Say what can be done with the running stack, and wait for Ctrl-C."""
    state, folder = stack.state, shlex.quote(str(stack.folder.path))
    report = shlex.quote(json.dumps(_EXAMPLE))
    console.rule("The platform keeps running; Ctrl-C ends it")
    for part in state.parts:
        if part.kind == "service":
            console.print(f"{part.name:12} {part.url}/docs", highlight=False)
    console.print(f"figures      {state.url('sla-monitor')}/v1/figures", highlight=False)
    console.print(f"mails        {state.mail_file}", highlight=False, soft_wrap=True)
    console.print("\nSubmit a report, and look at it with the tracking id and access code of its receipt:")
    console.print(
        f"  curl -s {state.url('intake')}/v1/reports -H 'Content-Type: application/json' -d {report}", highlight=False, soft_wrap=True
    )
    console.print(
        f"  curl -s {state.url('intake')}/v1/reports/TRACKING-ID -H 'X-Access-Code: ACCESS-CODE'", highlight=False, soft_wrap=True
    )
    console.print(f"\n  tuntas status --folder {folder}\n  tuntas reconcile --folder {folder}", highlight=False, soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print("stopping")
