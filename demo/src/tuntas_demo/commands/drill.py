"""`tuntas drill`: faults on a throw-away stack, and a verdict on each."""

import asyncio
import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from tuntas_operations.commands.choices import MANY, words
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.ops_choices import aligned, say_all

_SOAK = "soak"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="drill")(said_in_one_sentence(drill))


def drill(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=f"Only these drills; all by default. {MANY}")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show every drill, and do none.")] = False,
    seed: Annotated[int | None, typer.Option(help="Choose as another run did; at random by default, and shown.")] = None,
    reports: Annotated[int, typer.Option(min=20, help="How many reports a drill files at least, where it needs many.")] = 200,
    hours: Annotated[float, typer.Option(min=1, help="Of the drill `soak`: how many hours of simulated time pass.")] = 24,
    store: Annotated[
        Path | None, typer.Option(help="Write what was measured into this file, as JSON; what it has of other drills stays.")
    ] = None,
) -> None:
    """Start a stack, do one fault after the other to it under load, and count what came of it.

    The drill `soak`, which only runs by name, lets a day pass with a random fault in every round, and looks at memory and tables.

    The stack is a new one in a temporary folder, removed at the end; no other stack is touched. Exit status 1 if anything was lost,
    doubled, out of order, late or falsely breached.
    """
    from tuntas_demo.drills.registry import drills_named
    from tuntas_demo.drills.runner import failed, run_drills

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that a broker which was killed does not answer is no news
    asked = words(names) or []
    if asked == [_SOAK] and not list_:
        _soak(hours, _chosen(seed), store)
        return
    chosen = drills_named(asked)
    if list_:
        say_all(aligned((one.name, one.setting.value, one.fault) for one in chosen))
        return
    number = _chosen(seed)
    typer.echo(f"{len(chosen)} drills with --seed {number}")
    results = asyncio.run(run_drills(chosen, number, reports, typer.echo))
    if store is not None:
        _keep(store, [asdict(result) for result in results])
    say_all(aligned((result.outcome, f"{result.seconds:.0f} s", result.name, result.detail[:200]) for result in results))
    if failed(results):
        raise typer.Exit(1)


def _keep(store: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Write results into the file, in the order of the table; those of drills that were not done this time stay."""
    from tuntas_demo.drills.registry import DRILLS

    kept = json.loads(store.read_text(encoding="utf-8")) if store.exists() else []
    latest = {result["name"]: result for result in (*kept, *results)}
    store.write_text(json.dumps([latest[name] for name in DRILLS if name in latest], indent=1) + "\n", encoding="utf-8")


def _chosen(seed: int | None) -> int:
    return random.SystemRandom().randrange(10**6) if seed is None else seed


def _soak(hours: float, seed: int, store: Path | None) -> None:
    from tuntas_demo.drills.runner import run_soak

    typer.echo(f"a soak of {hours:.0f} hours with --seed {seed}")
    result = asyncio.run(run_soak(hours, seed, typer.echo))
    typer.echo(f"held: {result.rounds} rounds, {result.reports} reports, {sum(result.faults.values())} faults in {result.seconds:.0f} s")
    if store is not None:
        store.write_text(json.dumps(asdict(result) | {"growth": result.growth()}, indent=1) + "\n", encoding="utf-8")
