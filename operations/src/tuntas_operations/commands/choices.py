"""Options that several commands share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import StackError

Since = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"],
        metavar="TIME",
        help="Only cases accepted since then, such as 2026-11-23T10:00+07:00: topics hold too little of older ones once Kafka was lost.",
    ),
]

MANY = "Can be repeated, and hold several with commas."
"""What the help says of such an option."""


def words(given: Sequence[str] | None) -> list[str] | None:
    """The words of an option that can be repeated and whose values can hold several with commas; each once, in order.

    None where the option was not given; none at all where it was given empty.
    """
    if given is None:
        return None
    return list(dict.fromkeys(word.strip() for value in given for word in value.split(",") if word.strip()))


def services(given: Sequence[str] | None) -> list[Service] | None:
    """The services that such an option names; None where it was not given.

    Raises:
        StackError: there is no service of that name.
    """
    named = words(given)
    return None if named is None else [service_named(name) for name in named]


def service_named(name: str) -> Service:
    """A service by its name.

    Raises:
        StackError: there is none.
    """
    try:
        return Service(name)
    except ValueError:
        raise StackError(f"there is no service {name}: the services are {', '.join(Service)}") from None
