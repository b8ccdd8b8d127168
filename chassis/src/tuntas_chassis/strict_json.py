"""JSON that others wrote: read so that no two readers of it could take it for different things, and within bounds."""

import json
import re
from collections import Counter
from typing import Any, Final

import jiter

MAX_DEPTH: Final = 32
"""How deeply objects and lists may be nested; ours are nested four deep."""
MAX_NUMBER_LENGTH: Final = 100
"""Digits and signs of one number."""
_FEW_DIGITS: Final = MAX_NUMBER_LENGTH - len("-.e-")
"""So many digits in all make no number that is too long."""
_OUR_NAMES: Final = re.compile(r"[a-z][a-z_]{0,39}")


class UnreadableJson(ValueError):
    """JSON that is refused as a whole; says why and what to do."""


def read_json(data: bytes) -> Any:
    """What `data` holds. Raises UnreadableJson, or json.JSONDecodeError where it is no JSON at all."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH and len(data) - len(data.translate(None, b"0123456789")) <= _FEW_DIGITS:
        try:
            return jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none")
        except ValueError:
            pass
    return _read_slowly(data)


def _read_slowly(data: bytes) -> Any:
    """The same for any `data`, in several times the time; its errors say what is wrong."""
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("it is not UTF-8", "", error.start) from error
    try:
        found = _DECODER.decode(text)
    except RecursionError:
        raise _TOO_DEEP from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(found) > MAX_DEPTH:
        raise _TOO_DEEP
    return found


def fault_of_json(data: bytes) -> str | None:
    """Why `data` is refused as a whole; None where it is not, or is no JSON at all, which is left to the next reader."""
    try:
        read_json(data)
    except UnreadableJson as error:
        return str(error)
    except json.JSONDecodeError:
        return None
    return None


_TOO_DEEP = UnreadableJson(f"it is nested more than {MAX_DEPTH} deep")


def _depth(found: Any) -> int:
    depth, level = 0, [found]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        shown = repr(twice) if _OUR_NAMES.fullmatch(twice) else "a name"  # any other might be a text that strayed there
        raise UnreadableJson(f"{shown} is given more than once in one object; give it once")
    return found


def _integer(digits: str) -> int:
    return int(_short(digits))


def _number(digits: str) -> float:
    return float(_short(digits))


def _short(digits: str) -> str:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise UnreadableJson(f"a number has {len(digits)} digits, and {MAX_NUMBER_LENGTH} at most are taken")
    return digits


def _no_number(name: str) -> float:
    raise UnreadableJson(f"{name} is not a number of JSON; leave it out or give null")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_no_number)
