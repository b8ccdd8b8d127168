"""Masks what gives a reporter away in free text: a report as agencies and the public may read it."""

from typing import NamedTuple

from intake.domain.self_mentions import OwnAddress, OwnName
from tuntas_contracts.texts.masking import Masked, identifier_spans, replaced_in
from tuntas_contracts.texts.normalisation import folded, normalised, skeleton
from tuntas_contracts.texts.numbers import own_numbers


class OwnData(NamedTuple):
    """What the reporter said about themselves; each may be missing. `phone` in E.164."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    nik: str | None = None
    address: str | None = None


class Masker:
    """Masks the texts of one reporter."""

    def __init__(self, own: OwnData) -> None:
        self._numbers = own_numbers(own.phone, own.nik)
        self._name = OwnName(own.name) if own.name else None
        self._address = OwnAddress(own.address) if own.address else None

    def mask(self, text: str) -> Masked:
        """The `normalised` text with NIK, phones, e-mails, bank accounts, and the reporter's own name, contact and address masked.

        Masking twice changes nothing.
        """
        plain = normalised(text)
        simple = skeleton(plain)
        spans = identifier_spans(simple, self._numbers)
        if self._name or self._address:
            small = folded(simple)
            if self._name:
                spans += self._name.spans(small)
            if self._address:
                spans += self._address.spans(small)
        return replaced_in(plain, spans)
