"""`tuntas ops reconcile`: the same proof as `tuntas reconcile`, against a cluster too, all day and with metrics."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from tuntas_contracts.vocabulary import Service
from tuntas_operations.commands.choices import Since
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.ops_choices import AsJson, OpsFolder
from tuntas_operations.errors import StackError
from tuntas_operations.installation import Installation, find_installation
from tuntas_operations.service_modules import module_of

_HOST = "127.0.0.1"
_COMPARED = (Service.INTAKE, Service.TRIAGE, Service.DISPATCH)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="reconcile")(said_in_one_sentence(reconcile))


def reconcile(
    folder: OpsFolder = None,
    as_json: AsJson = False,
    idle: Annotated[bool, typer.Option("--at-rest", help="Allow nothing to be under way: every case must agree now.")] = False,
    since: Since = None,
    watch: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Compare again every so many seconds, reading only what is new.")
    ] = None,
    metrics_file: Annotated[
        Path | None, typer.Option(help="Write metrics here after each round, for node-exporter's textfile collector (*.prom).")
    ] = None,
    serve: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Answer GET /metrics there while watching; the host is 127.0.0.1 by default.")
    ] = None,
) -> None:
    """Prove that nothing was lost or done twice. Exit status 1 if anything differs (in the last round).

    A round compares intake's, triage's and dispatch's databases with the topics. While watching, a round that can't be carried
    out is reported and counted, and the next one tries again.
    """
    # Imported here, with all its clients: `tuntas --help` does without.
    from tuntas_operations.commands.reconciliation_output import print_json, print_result
    from tuntas_operations.reconcile_metrics import ReconcileMetrics
    from tuntas_operations.reconciliation import Reconciler

    installation = find_installation(folder)
    metrics = ReconcileMetrics()
    if serve is not None:
        host, port = _address(serve)
        typer.echo(f"metrics on http://{host}:{metrics.serve(host, port)}/metrics", err=True)
    reconciler = Reconciler(installation.needs_kafka(), _databases(installation), installation.kafka_client, since=since)
    try:
        while True:
            started = time.monotonic()
            try:
                result = asyncio.run(reconciler.round(in_flight_s=0.0 if idle else 60.0))
            except (StackError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if watch is None:
                    raise StackError(str(error)) from error
                metrics.note_failure()
                typer.echo(f"tuntas: this round could not be carried out: {error}", err=True)
            else:
                metrics.note(result, time.monotonic() - started)
                print_json(result) if as_json else print_result(result)
            if metrics_file is not None:
                metrics.write(metrics_file)
            if watch is None:
                break
            time.sleep(watch)
    finally:
        reconciler.close()
    if not result.clean:
        raise typer.Exit(1)


def _databases(installation: Installation) -> dict[str, str]:
    return {module_of(service): installation.needs_database(service) for service in _COMPARED}


def _address(serve: str) -> tuple[str, int]:
    host, _, port = serve.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise StackError(f"--serve {serve}: write a port, or host:port")
    return host or _HOST, int(port)
