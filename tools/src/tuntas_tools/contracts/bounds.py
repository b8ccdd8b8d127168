"""Lengths, ranges, formats and patterns: whether what may be written is within what is read."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tuntas_tools.contracts.findings import Finding, Kind, Parties
from tuntas_tools.contracts.schema_nodes import Node

# Formats of which no value of one is a value of another.
_DISTINCT_FORMATS = frozenset({"date", "date-time", "duration", "email", "ipv4", "ipv6", "time", "uuid"})
_SIZES = {
    "string": (("minLength", "maxLength", "characters"),),
    "array": (("minItems", "maxItems", "items"),),
    "object": (("minProperties", "maxProperties", "fields"),),
}


def findings(kind: str, written: Node, read: Node, path: str, parties: Parties) -> Iterator[Finding]:
    """What is outside the reader's bounds, for two nodes of one JSON type."""
    if kind == "number":
        yield from _ranges(written, read, path, parties)
    for least, most, what in _SIZES.get(kind, ()):
        yield from _sizes(written, read, (least, most, what), path, parties)
    if kind == "string":
        yield from _formats(written, read, path, parties)
        yield from _patterns(written, read, path, parties)


def _sizes(written: Node, read: Node, words: tuple[str, str, str], path: str, parties: Parties) -> Iterator[Finding]:
    least, most, what = words
    fewest, largest = _guaranteed(written, words)
    if fewest < read.get(least, 0):
        text = f"{fewest} {what} may be written, but {parties.readers} need {read[least]} or more"
        yield Finding(path, Kind.REFUSED, text)
    if largest > read.get(most, math.inf):
        described = "any number of" if largest == math.inf else f"up to {largest:,}"
        yield Finding(path, Kind.REFUSED, f"{described} {what} may be written, but {parties.readers} take at most {read[most]:,}")


def _guaranteed(node: Node, words: tuple[str, str, str]) -> tuple[int, float]:
    least, most, what = words
    fewest, largest = int(node.get(least, 0)), node.get(most, math.inf)
    if what == "fields":
        fewest = max(fewest, len(node.get("required", ())))
        if node.get("additionalProperties", "properties" not in node) is False and "patternProperties" not in node:
            largest = min(largest, len(node.get("properties", {})))
    if what == "items" and node.get("items") is False:
        largest = min(largest, len(node.get("prefixItems", ())))
    return fewest, largest


def _ranges(written: Node, read: Node, path: str, parties: Parties) -> Iterator[Finding]:
    for side, inclusive, exclusive in (("below", "minimum", "exclusiveMinimum"), ("above", "maximum", "exclusiveMaximum")):
        sign = 1 if side == "below" else -1
        limit = _limit(read, inclusive, exclusive, sign)
        if limit is None:
            continue
        own = _limit(written, inclusive, exclusive, sign)
        if own is None or own < limit:
            described = f"{limit[0] * sign} {'and ' if limit[1] else ''}{side}"
            yield Finding(path, Kind.REFUSED, f"numbers {described} may be written, but {parties.readers} do not take them")
    if (step := read.get("multipleOf")) is not None:
        own_step = written.get("multipleOf", 1 if written["type"] == "integer" else None)
        if own_step is None or _exact(own_step) % _exact(step):
            yield Finding(path, Kind.REFUSED, f"other numbers than multiples of {step} may be written, but {parties.readers} refuse them")


def _limit(node: Node, inclusive: str, exclusive: str, sign: int) -> tuple[Decimal, int] | None:
    """The strictest bound as (value, whether the value itself is out), turned so that larger is stricter."""
    bounds = []
    if inclusive in node:
        bounds.append((sign * _exact(node[inclusive]), 0))
    if exclusive in node:
        bounds.append((sign * _exact(node[exclusive]), 1))
    if not bounds:
        return None
    value, out = max(bounds)
    if node.get("type") == "integer":
        whole = Decimal(math.floor(value) + 1 if out else math.ceil(value))
        return whole, 0
    return value, out


def _exact(number: Any) -> Decimal:
    return Decimal(str(number))


def _formats(written: Node, read: Node, path: str, parties: Parties) -> Iterator[Finding]:
    own, taken = written.get("format"), read.get("format")
    if taken is None or own == taken:
        return
    if own is None and "pattern" not in written:
        yield Finding(path, Kind.REFUSED, f"any text may be written, but {parties.readers} take only the format {taken}")
    elif own in _DISTINCT_FORMATS and taken in _DISTINCT_FORMATS:
        yield Finding(path, Kind.REFUSED, f"the format {own} is written, but {parties.readers} take {taken}")
    else:
        yield Finding(path, Kind.UNDECIDED, f"whether all that is written has the format {taken} can't be determined: decide by hand")


def _patterns(written: Node, read: Node, path: str, parties: Parties) -> Iterator[Finding]:
    own, taken = written.get("pattern"), read.get("pattern")
    if taken is None or own == taken:
        return
    if own is None and "format" not in written:
        yield Finding(path, Kind.REFUSED, f"any text may be written, but {parties.readers} take only the pattern {taken}")
    else:
        described = f"the pattern {own}" if own is not None else f"the format {written['format']}"
        yield Finding(path, Kind.UNDECIDED, f"whether all of {described} has the pattern {taken} can't be determined: decide by hand")
