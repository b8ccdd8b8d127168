"""Masks the identifiers that anybody may have written into a text: phone numbers, NIK, e-mail addresses, bank accounts."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tuntas_contracts.texts.normalisation import normalised, skeleton
from tuntas_contracts.texts.numbers import number_spans
from tuntas_contracts.texts.spans import Identifier, Span, replaced

_LOCAL: Final = re.compile(r"[\w.+%'-]{1,64}\Z")
_DOMAIN: Final = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_BEFORE_SPELT: Final = re.compile(r"([\w.+%'-]{1,64}) ?\Z")
_SPELT_AT: Final = re.compile(r"[\[({] ?(?:at|et) ?[\])}] ?", re.IGNORECASE)
_SPELT_DOMAIN: Final = re.compile(r"[\w-]{1,63}(?: ?(?:[\[({] ?(?:dot|titik) ?[\])}]|\.) ?[\w-]{2,63}){1,4}", re.IGNORECASE)
_LONGEST_LOCAL: Final = 65


class Masked(NamedTuple):
    """A text without identifiers, and what was taken out, in order."""

    text: str
    found: Sequence[Identifier] = ()

    def counts(self) -> Counter[Identifier]:
        """How often each kind was masked."""
        return Counter(self.found)


def mask_identifiers(text: str) -> Masked:
    """The `normalised` text with every identifier masked, however its digits and signs are written. Masking twice changes nothing."""
    plain = normalised(text)
    return replaced_in(plain, identifier_spans(skeleton(plain), {}))


def replaced_in(text: str, spans: Sequence[Span]) -> Masked:
    """The text with these stretches masked."""
    if not spans:
        return Masked(text)
    masked, found = replaced(text, spans)
    return Masked(masked, found)


def identifier_spans(simple: str, own: Mapping[str, Identifier]) -> list[Span]:
    """Where identifiers stand in a `skeleton`; the numbers `own` of a reporter are found however they are grouped."""
    spans = number_spans(simple, own)
    if "@" in simple:
        spans += _email_spans(simple)
    if "(" in simple or "[" in simple or "{" in simple:
        spans += _spelt_spans(simple)
    return spans


def _email_spans(text: str) -> list[Span]:
    # From each @ outwards: a search from the left would try every word of the text.
    spans: list[Span] = []
    at = text.find("@")
    while at >= 0:
        local = _LOCAL.search(text[max(0, at - _LONGEST_LOCAL) : at])
        domain = _DOMAIN.match(text, at + 1) if local else None
        if local and domain:
            spans.append(Span(at - len(local[0]), domain.end(), Identifier.EMAIL))
        at = text.find("@", at + 1)
    return spans


def _spelt_spans(text: str) -> list[Span]:
    """Addresses whose @ is written as a word in brackets: budi (at) contoh (dot) id."""
    spans: list[Span] = []
    for sign in _SPELT_AT.finditer(text):
        local = _BEFORE_SPELT.search(text[max(0, sign.start() - _LONGEST_LOCAL - 1) : sign.start()])
        domain = _SPELT_DOMAIN.match(text, sign.end()) if local else None
        if local and domain:
            spans.append(Span(sign.start() - len(local[0]), domain.end(), Identifier.EMAIL))
    return spans
