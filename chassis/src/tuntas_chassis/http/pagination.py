"""Opaque cursors for keyset pagination."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from tuntas_chassis.http.problems import Problem


def encode_cursor(values: Sequence[str | int]) -> str:
    """A cursor that holds the sort key of the last row shown."""
    return urlsafe_b64encode(json.dumps(list(values), separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[str | int]:
    """The sort key in a cursor of ours; a Problem 422 where it is not one with `length` values."""
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(values, list) and len(values) == length and all(type(v) in (str, int) for v in values):
            return values
    except (ValueError, RecursionError):
        pass
    raise bad_cursor()


def bad_cursor() -> Problem:
    """The answer to a cursor that is not one of ours."""
    return Problem(422, "The cursor is not valid", "Use `next_cursor` of the last page as it is, or leave `cursor` out.", "bad_cursor")
