"""`tuntas ops topics plan | apply`: the cluster's topics against the topology and the register."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.ops_choices import AsJson, OpsFolder, aligned, say_all
from tuntas_operations.installation import find_installation
from tuntas_operations.topic_plan import Change

_SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    topics = typer.Typer(
        name="topics", help="Compare the topics with the topology and the register, and make them so.", no_args_is_help=True
    )
    topics.command(name="plan")(said_in_one_sentence(plan))
    topics.command(name="apply")(said_in_one_sentence(apply))
    app.add_typer(topics)


def plan(folder: OpsFolder = None, as_json: AsJson = False) -> None:
    """Say what differs, and change nothing. Exit status 1 if anything does."""
    from tuntas_operations.cluster_topics import ClusterTopics
    from tuntas_operations.register import read_register

    installation = find_installation(folder)
    register = read_register(installation)
    compared = ClusterTopics(installation).compare(register)
    if as_json:
        typer.echo(json.dumps({"register": register.source, "topics": len(compared.wanted), "changes": _as_json(compared.changes)}))
    else:
        typer.echo(f"{installation.name}: {len(compared.wanted):,} topics by the topology and {register.source}")
        say_all(_lines(compared.changes) or ["nothing differs"])
    if compared.changes:
        raise typer.Exit(1)


def apply(
    folder: OpsFolder = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also DELETE topics that neither topology nor register names, and reset settings made by hand.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create what lacks, set what differs, add partitions where that is safe. Exit status 1 if something had to be left."""
    from tuntas_operations.cluster_topics import ClusterTopics
    from tuntas_operations.register import read_register

    installation = find_installation(folder)
    register = read_register(installation)
    topics = ClusterTopics(installation)
    compared = topics.compare(register)
    made = topics.apply(compared.changes, compared.wanted, prune=prune)
    left = [change for change in compared.changes if change.refused or (change.prune and not prune)]
    if as_json:
        done = [change for change in compared.changes if change not in left]
        typer.echo(json.dumps({"topics": len(compared.wanted), "changed": _as_json(done), "left": _as_json(left)}))
    else:
        typer.echo(f"{installation.name}: {len(compared.wanted):,} topics by the topology and {register.source}")
        typer.echo(f"{made:,} changes made" if made else "nothing to change")
        say_all(_lines(left))
    if any(change.refused for change in left):
        raise typer.Exit(1)


def _as_json(changes: Sequence[Change]) -> list[dict[str, object]]:
    return [{name: value for name, value in asdict(change).items() if value not in (None, False)} for change in changes]


def _lines(changes: Sequence[Change]) -> list[str]:
    """One line a change; a long row of topics that all lack is cut."""
    many = Counter(change.kind for change in changes)
    seen: Counter[str] = Counter()
    rows = []
    for change in changes:
        seen[change.kind] += 1
        if seen[change.kind] <= _SHOWN:
            rows.append((_WORDS[change.kind], change.topic, _what(change)))
    cut = [f"… and {number - _SHOWN:,} more: {_WORDS[kind]} (--json names every one)" for kind, number in many.items() if number > _SHOWN]
    return [*aligned(rows), *cut]


def _what(change: Change) -> str:
    if change.refused:
        return f"{change.detail}. Left as it is: {change.refused}"
    return f"{change.detail} (only with --prune)" if change.prune else change.detail


_WORDS = {
    "missing": "missing",
    "unseen": "not seen",
    "partitions": "partitions",
    "setting": "setting",
    "extra_setting": "by hand",
    "unknown": "unknown",
}
