"""Stretches of a text that identify its writer, and the readable masks that take their place."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple


class Identifier(StrEnum):
    """What kind of identifier was found; the value is the mask's word."""

    NAME = "nama"
    PHONE = "telepon"
    EMAIL = "email"
    NIK = "NIK"  # nomor induk kependudukan; a family card's number looks the same
    ADDRESS = "alamat"
    ACCOUNT = "rekening"

    @property
    def mask(self) -> str:
        """What stands in the text instead."""
        return f"[{self.value}]"


class Span(NamedTuple):
    """A stretch from `start` up to `end`."""

    start: int
    end: int
    kind: Identifier


_PLACEHOLDER: Final = re.compile("|".join(re.escape(kind.mask) for kind in Identifier))


def replaced(text: str, spans: Iterable[Span], mask: str | None = None) -> tuple[str, Sequence[Identifier]]:
    """The text with its spans masked, and what was masked in order. Overlapping spans become one, of the longer one's kind.

    `mask` stands for all of them; each kind has its own where it is left out. A mask that already stands in the text stays as it
    is, so that masking twice changes nothing.
    """
    found = sorted(spans, key=lambda span: (span.start, -span.end))
    if not found:
        return text, ()
    if "[" in text:
        found = _outside(found, [match.span() for match in _PLACEHOLDER.finditer(text)])
    pieces: list[str] = []
    kinds: list[Identifier] = []
    done = 0
    for span in _merged(found):
        pieces += (text[done : span.start], mask or span.kind.mask)
        kinds.append(span.kind)
        done = span.end
    pieces.append(text[done:])
    return "".join(pieces), kinds


def _outside(spans: Sequence[Span], masks: Sequence[tuple[int, int]]) -> list[Span]:
    """The spans that touch no mask. Masks don't overlap and are in order, so the last that begins before a span's end decides."""
    starts = [start for start, _ in masks]
    outside: list[Span] = []
    for span in spans:
        before = bisect_left(starts, span.end)
        if not before or masks[before - 1][1] <= span.start:
            outside.append(span)
    return outside


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            kind = last.kind if last.end - last.start >= span.end - span.start else span.kind
            merged[-1] = Span(last.start, max(last.end, span.end), kind)
        else:
            merged.append(span)
    return merged
