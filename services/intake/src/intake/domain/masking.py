"""Masks what gives a reporter away in free text: a report as agencies and the public may read it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from intake.domain.numbers import number_spans, own_numbers
from intake.domain.own_data import OwnAddress, OwnName
from intake.domain.spans import Identifier, Span, replaced

_LOCAL: Final = re.compile(r"[\w.+%'-]+\Z")
_DOMAIN: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_LONGEST_LOCAL: Final = 64


@dataclass(frozen=True, slots=True)
class OwnData:
    """What the reporter told of themselves; each may be missing. `phone` in E.164."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    nik: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without identifiers, and what was taken out, in order."""

    text: str
    found: Sequence[Identifier] = ()

    def counts(self) -> Counter[Identifier]:
        """How often each kind was masked."""
        return Counter(self.found)


class Masker:
    """Masks the texts of one reporter."""

    def __init__(self, own: OwnData) -> None:
        self._numbers = own_numbers(own.phone, own.nik)
        self._name = OwnName(own.name) if own.name else None
        self._address = OwnAddress(own.address) if own.address else None

    def mask(self, text: str) -> Masked:
        """Mask NIK, phones, e-mails, bank accounts, and the reporter's own name, contact and address.

        Masking twice changes nothing.
        """
        spans = number_spans(text, self._numbers)
        if "@" in text:
            spans += _email_spans(text)
        if self._name or self._address:
            folded = _folded(text)
            if self._name:
                spans += self._name.spans(text, folded)
            if self._address:
                spans += self._address.spans(text, folded)
        if not spans:
            return Masked(text)
        masked, found = replaced(text, spans)
        return Masked(masked, found)


def _email_spans(text: str) -> list[Span]:
    # From each @ outwards: a search from the left would try every word of the text.
    spans: list[Span] = []
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        local = _LOCAL.search(text[max(0, at - _LONGEST_LOCAL) : at])
        if domain and local:
            spans.append(Span(at - len(local[0]), domain.end(), Identifier.EMAIL))
        at = text.find("@", at + 1)
    return spans


def _folded(text: str) -> str:
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    # a few letters grow when made small (İ); positions must stay those of the text
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
