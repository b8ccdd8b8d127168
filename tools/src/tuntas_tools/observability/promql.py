"""Which series a PromQL expression reads, and by which labels: enough of the language to check names, no more."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_SERIES = re.compile(r"(?<![\w:$])([a-zA-Z_:][\w:]*+)\s*(\{[^}]*\})?(?!\s*\()")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_EQUAL = re.compile(r'(\w+)\s*=\s*"(\d+)"')
_BUCKET = re.compile(r'([a-zA-Z_:][\w:]*)_bucket\{[^}]*?\ble="([^"]*)"')
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan"})


@dataclass(frozen=True, slots=True)
class Selector:
    """One series selected: its name, the labels that it is selected by, and the values that some must equal."""

    name: str
    labels: frozenset[str]
    equal: frozenset[tuple[str, str]]


def selectors(expression: str) -> Iterator[Selector]:
    """Every series that an expression names; `{__name__=…}` is not understood."""
    strings = _STRING.findall(expression)
    numbers = iter(range(len(strings)))
    bare = _RANGE.sub("", _GROUPING.sub(" ", _STRING.sub(lambda _: f'"{next(numbers)}"', expression)))
    for found in _SERIES.finditer(bare):
        # what stands behind a number is its unit or exponent
        if found[1].lower() not in _WORDS and not re.search(r"[\d.]$", bare[: found.start()]):
            inside = found[2] or ""
            equal = {(label, strings[int(number)][1:-1]) for label, number in _EQUAL.findall(inside)}
            yield Selector(found[1], frozenset(_MATCHED.findall(inside)), frozenset(equal))


def grouped_by(expression: str) -> set[str]:
    """The labels that an expression groups or matches by."""
    bare = _STRING.sub('""', expression)
    return {label.strip() for found in _GROUPING.finditer(bare) for label in found[2].split(",") if label.strip()}


def buckets(expression: str) -> set[tuple[str, str]]:
    """(histogram, le) of every bucket that is read by its bound."""
    return {(found[1], found[2]) for found in _BUCKET.finditer(expression)}
