"""Tracking ids and access codes: what a reporter holds in hand after submitting."""

import hashlib
import hmac
import secrets
from operator import mul
from typing import Final
from uuid import UUID

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_VALUE: Final = {letter: number for number, letter in enumerate(ALPHABET)}
_READ: Final = str.maketrans("ILOilo", "110110", "- ")  # what people write for 1 and 0; separators are dropped
_TRACKING_RANDOM: Final = 11
_ACCESS_RANDOM: Final = 16
_LETTER_OF_BYTE: Final = ALPHABET.encode() * 8  # each letter stands for eight bytes of 256, so all are equally likely
_WEIGHTS: Final = tuple(range(1, 2 * _TRACKING_RANDOM, 2))


def new_tracking_id() -> str:
    """A tracking id: 55 random bits and a check character, grouped as `K7QM-2XD9-4TAB`; never sequential."""
    characters = _random(_TRACKING_RANDOM)
    return _grouped(characters + _check_character(characters))


def read_tracking_id(text: str) -> str | None:
    """The tracking id that someone typed, in its grouped form; None if it can't be one (length, letter, check character)."""
    characters = _read(text)
    if len(characters) != _TRACKING_RANDOM + 1 or any(c not in _VALUE for c in characters):
        return None
    if _check_character(characters[:-1]) != characters[-1]:
        return None
    return _grouped(characters)


def new_access_code() -> str:
    """An access code: 80 random bits in 16 characters, grouped by four."""
    return _grouped(_random(_ACCESS_RANDOM))


def access_code_hash(pepper: bytes, case_id: UUID, code: str) -> bytes:
    """HMAC-SHA256 of an access code as typed, keyed with the pepper and bound to its case: all that is kept of the code."""
    return hmac.digest(pepper, b"access-code\0" + case_id.bytes + _read(code).encode(), hashlib.sha256)


def access_code_matches(pepper: bytes, case_id: UUID, code: str, kept: bytes) -> bool:
    """Whether this is the case's access code; takes the same time either way."""
    return hmac.compare_digest(access_code_hash(pepper, case_id, code), kept)


def _read(text: str) -> str:
    return text.strip().translate(_READ).upper()


def _random(number: int) -> str:
    return secrets.token_bytes(number).translate(_LETTER_OF_BYTE).decode()


def _check_character(characters: str) -> str:
    # Odd weights are units modulo 32, so any single wrong character changes the sum; neighbours differ in weight, so most
    # exchanged neighbours do too.
    return ALPHABET[sum(map(mul, _WEIGHTS, map(_VALUE.__getitem__, characters))) % 32]


def _grouped(characters: str) -> str:
    return "-".join([characters[start : start + 4] for start in range(0, len(characters), 4)])
