"""A reporter's name in officers' texts: found by keyed fingerprints of its words, by services that don't know the name.

A fingerprint is an HMAC over the case and one word of the name. The case is part of it, so the same name has other fingerprints in
each case and nobody can link the cases of a person by them; without the key they say nothing, not even to who has a list of all names.
"""

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Final, Self
from uuid import UUID

from tuntas_contracts.texts.name_words import CONNECTORS, EVERYDAY, joined, name_words, words_in
from tuntas_contracts.texts.normalisation import folded, normalised
from tuntas_contracts.texts.spans import Identifier, Span, replaced

_KEY_BYTES: Final = 32
_BYTES: Final = 8
_SHORT_MASK: Final = "[…]"  # no longer than the shortest word that it stands for


class NameKeys:
    """The keys of fingerprints, newest first: the first makes new ones, all are compared with."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Each key has 32 bytes; raises ValueError where one has not, or there is none."""
        if not keys:
            raise ValueError("there is no key; make one with `openssl rand -base64 32`")
        for key in keys:
            if len(key) != _KEY_BYTES:
                raise ValueError(f"a key has {len(key)} bytes; make one with `openssl rand -base64 32`")
        self._keys = tuple(keys)

    @classmethod
    def from_base64(cls, keys: str) -> Self:
        """Keys in base64, separated by commas; raises ValueError where one is not 32 bytes in base64."""
        try:
            return cls([b64decode(key.strip(), validate=True) for key in keys.split(",") if key.strip()])
        except Base64Error:
            raise ValueError("a key is not base64; make one with `openssl rand -base64 32`") from None

    def fingerprints(self, case_id: UUID, name: str | None) -> tuple[str, ...]:
        """What services that don't know a reporter's name recognise its words by, in that case; none without a name."""
        return tuple(_digest(self._keys[0], case_id, word).hex() for word in name_words(name)) if name else ()

    def mask(self, case_id: UUID, fingerprints: bytes, text: str, longest: int) -> str:
        """The `normalised` text with the words masked whose fingerprints these are (see `packed`).

        Where that makes it longer than `longest` characters, a shorter mask is taken: no text is refused for a name that is in it,
        or a refusal would show whether a guess at the name was right.
        """
        text = normalised(text)
        spans = self._spans(case_id, fingerprints, text) if fingerprints else []
        if not spans:
            return text
        masked, _ = replaced(text, spans)
        return masked if len(masked) <= longest else replaced(text, spans, mask=_SHORT_MASK)[0]

    def _spans(self, case_id: UUID, fingerprints: bytes, text: str) -> list[Span]:
        wanted = {fingerprints[at : at + _BYTES] for at in range(0, len(fingerprints), _BYTES)}
        known: dict[str, bool] = {}
        found: list[tuple[int, int, bool]] = []
        for word in words_in(text):
            if word.text not in known:
                known[word.text] = any(_digest(key, case_id, word.text) in wanted for key in self._keys)
            if known[word.text]:
                found.append((word.start, word.end, word.text not in EVERYDAY))
        return [Span(*place, Identifier.NAME) for place in joined(folded(text), sorted(found), CONNECTORS)] if found else []


def _digest(key: bytes, case_id: UUID, word: str) -> bytes:
    return hmac.digest(key, case_id.bytes + word.encode(), hashlib.sha256)[:_BYTES]


def packed(fingerprints: Sequence[str]) -> bytes:
    """Fingerprints as a case keeps them: eight bytes each."""
    return bytes.fromhex("".join(fingerprints))


def unpacked(fingerprints: bytes) -> tuple[str, ...]:
    """Fingerprints as events carry them: sixteen hexadecimal digits each."""
    return tuple(fingerprints[at : at + _BYTES].hex() for at in range(0, len(fingerprints), _BYTES))
