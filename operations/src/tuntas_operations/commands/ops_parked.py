"""`tuntas ops parked list | show | replay | discard`: messages that could not be handled and wait for an operator."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from tuntas_contracts.vocabulary import Service
from tuntas_operations.commands.choices import MANY, services
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.ops_choices import AsJson, OpsFolder, aligned, say_all
from tuntas_operations.dead_letters import Filters, ParkedMessages, Resolution
from tuntas_operations.installation import find_installation
from tuntas_operations.services_http import Json, ServicesHttp

OfService = Annotated[list[str] | None, typer.Option("--service", "-s", help=f"Only of this service. {MANY}")]
Ids = Annotated[list[UUID], typer.Argument(metavar="ID...", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    parked = typer.Typer(name="parked", help="Messages that could not be handled and wait for an operator.", no_args_is_help=True)
    parked.command(name="list")(said_in_one_sentence(list_))
    for command in (show, replay, discard):
        parked.command()(said_in_one_sentence(command))
    app.add_typer(parked)


@contextmanager
def _parked(folder: Path | None, service: list[str] | None) -> Iterator[ParkedMessages]:
    asked = services(service)
    installation = find_installation(folder)
    with ServicesHttp(installation) as http:
        yield ParkedMessages(http, asked or [known for known in Service if known in installation.urls] or list(Service))


def list_(
    folder: OpsFolder = None,
    service: OfService = None,
    key: Annotated[str | None, typer.Option(help="Only of this key, which is a case id on most topics.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only from this topic.")] = None,
    error: Annotated[str | None, typer.Option(help="Only where the reason has these words in it.")] = None,
    audit: Annotated[bool, typer.Option("--audit", help="Instead what was replayed or discarded: when, by whom and why.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each service.")] = 100,
    ids: Annotated[bool, typer.Option("--ids", help="Print the ids alone, for `replay` and `discard`.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what waits, oldest first. Messages that are `waiting` are sound and stand behind a `parked` one of their key."""
    with _parked(folder, service) as parked:
        found = parked.find(Filters(key=key, topic=topic, error=error), limit, resolved=audit)
    if as_json:
        typer.echo(json.dumps(found))
    elif ids:
        say_all(message["id"] for message in found)
    elif not found:
        typer.echo("nothing was replayed or discarded" if audit else "nothing is parked")
    else:
        say_all(aligned(map(_audit_row if audit else _row, found)))


def show(
    message_id: Annotated[UUID, typer.Argument(metavar="ID", show_default=False)],
    folder: OpsFolder = None,
    service: OfService = None,
    as_json: AsJson = False,
) -> None:
    """Show one message: where it was, why it is parked, its headers, the shape of its value. No texts: those an auditor reads."""
    with _parked(folder, service) as parked:
        message = parked.show(message_id)
    if as_json:
        typer.echo(json.dumps(message))
        return
    headers, value = message.pop("headers"), message.pop("value")
    rows = [(name, str(content)) for name, content in message.items() if content is not None]
    say_all(aligned([*rows, *((f"header {name}", content) for name, content in headers.items())]))
    typer.echo(json.dumps(value, indent=2))


def replay(
    ids: Ids,
    folder: OpsFolder = None,
    service: OfService = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit; no content of the case.")] = None,
    as_json: AsJson = False,
) -> None:
    """Apply messages again, each with all of its key that waits, in the order of the topic. Exit status 1 if one fails again."""
    with _parked(folder, service) as parked:
        _report(parked.replay(ids, reason), as_json=as_json)


def discard(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why, for the audit; no content of the case.", show_default=False)],
    folder: OpsFolder = None,
    service: OfService = None,
    as_json: AsJson = False,
) -> None:
    """Give messages up FOR GOOD; what waits behind each is replayed. Exit status 1 if that fails."""
    with _parked(folder, service) as parked:
        _report(parked.discard(ids, reason), as_json=as_json)


def _report(resolutions: Iterable[Resolution], *, as_json: bool) -> None:
    """Report each as it is done: one that fails later takes nothing back."""
    failed = False
    for one in resolutions:
        failed |= one.error is not None
        if as_json:
            typer.echo(json.dumps({name: getattr(one, name) for name in one.__slots__}, default=str))
        else:
            typer.echo(f"{one.service:11}  {one.key or one.ids[0]}  {_outcome(one)}")
    if failed:
        raise typer.Exit(1)


def _outcome(one: Resolution) -> str:
    replayed = f"{one.replayed} replayed"
    return f"{replayed}, {one.waiting} still wait: {one.error}" if one.error else f"{replayed}, nothing waits"


def _row(message: Json) -> tuple[str, ...]:
    at = str(message["parked_at"])[:19]
    attempts = "" if message["attempts"] == 1 else f" ({message['attempts']} attempts)"
    reason = message["error"] if message["state"] == "waiting" else f"{message['error_type']}: {message['error']}"
    position = f"{message['topic']}/{message['partition']}/{message['offset']}"
    return (message["id"], message["service"], at, message["state"], position, message["key"] or "no key", f"{_short(reason)}{attempts}")


def _audit_row(message: Json) -> tuple[str, ...]:
    at, reason = str(message["resolved_at"])[:19], message["resolution_reason"] or "no reason given"
    return (message["id"], message["service"], at, message["state"], message["resolved_by"], reason)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:159]}…"
