"""Masks what gives a reporter away in free text: a report as agencies and the public may read it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from intake.domain.numbers import number_spans
from intake.domain.own_data import address_spans, name_spans
from intake.domain.spans import Identifier, Span, replaced

_EMAIL: Final = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")


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


def mask(text: str, own: OwnData) -> Masked:
    """Mask NIK, phones, e-mails, bank accounts, and the reporter's own name, contact and address. Masking twice changes nothing."""
    spans = number_spans(text, own.phone, own.nik)
    if "@" in text:
        spans += [Span(*match.span(), Identifier.EMAIL) for match in _EMAIL.finditer(text)]
    if own.name or own.address:
        folded = _folded(text)
        if own.name:
            spans += name_spans(text, folded, own.name)
        if own.address:
            spans += address_spans(text, folded, own.address)
    masked, found = replaced(text, spans)
    return Masked(masked, found) if found else Masked(text)


def _folded(text: str) -> str:
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    # a few letters grow when made small (İ); positions must stay those of the text
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
