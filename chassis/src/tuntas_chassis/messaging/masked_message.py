"""What an operator may see of a message: its structure, types, sizes, field names and ids, and none of its texts."""

import json
import re
from collections.abc import Iterable
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_HEADER_VALUE = re.compile(r"[A-Za-z0-9_.:/+-]{1,120}")
_SHOWN_HEADERS = frozenset({"ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_specversion", "traceparent", "content-type"})
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_ARGUMENT = re.compile(r"(query argument \$\d+): .*?( \((?:value out of \w+ range|expected \w+, got \w+)\))?$")
_MOST_MEMBERS = 100
_DEEPEST = 8


def masked_value(value: bytes | None) -> Any:
    """The shape of a message's value: every text by its length, every number by its kind; ids as they are."""
    if value is None:
        return None
    try:
        return _shape(json.loads(value), 0)
    except (ValueError, RecursionError):
        return {"type": "not JSON", "bytes": len(value)}


def _shape(found: Any, depth: int) -> Any:
    if isinstance(found, str):
        return found if _ID.fullmatch(found) else {"type": "text", "characters": len(found)}
    if isinstance(found, bool) or found is None:
        return {"type": "null" if found is None else "boolean"}
    if isinstance(found, int | float):
        return {"type": "number"}
    if depth == _DEEPEST:
        return {"type": "list" if isinstance(found, list) else "object", "members": len(found)}
    if isinstance(found, list):
        return {"type": "list", "members": len(found), "first": [_shape(item, depth + 1) for item in found[:10]]}
    names = list(found)[:_MOST_MEMBERS]
    shown = {name if _FIELD.fullmatch(name) else f"(a name of {len(name)} characters)": _shape(found[name], depth + 1) for name in names}
    return shown if len(names) == len(found) else {**shown, "(more)": len(found) - len(names)}


def masked_headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The envelope's headers; of one that is not as it ought to be, and of any other, only the length."""
    shown: dict[str, str] = {}
    for name, value in headers:
        text = (value or b"").decode(errors="replace")
        known = name in _SHOWN_HEADERS
        if len(shown) == _MOST_MEMBERS:
            break
        value_shown = text if known and _HEADER_VALUE.fullmatch(text) else f"({len(text)} characters)"
        shown[name if known else f"({len(name)} characters)"] = value_shown
    return shown


def without_content(text: str) -> str:
    """The first line of an error's text, with what it quotes taken out: that may be what a person wrote."""
    return _QUOTED.sub("'…'", _ARGUMENT.sub(r"\1: …\2", text.partition("\n")[0]))
