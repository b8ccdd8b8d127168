"""One normal form of what people write, and one in which look-alike characters are equal, for searching.

Characters that can't be seen let a text say one thing to a reader and another to a program: they separate the digits of a phone
number, turn the order of letters round, or make an empty text look filled to a program.
"""

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, decimal, normalize

# They look like a blank and count as a letter or symbol: Braille blank, Hangul fillers, Khmer inherent vowels.
_BLANKS: Final = "\u2800\u3164\u115f\u1160\uffa0\u17b4\u17b5"
# Not ASCII, and not printed: everything that `normalised` must look at. Latin letters with their marks composed are not among it.
_PLAIN: Final = re.compile(r"[\x00-\x7f\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e]*\Z")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_NOT_ASCII_RUN: Final = re.compile(r"[^\x00-\x7f]+")
_RUN: Final = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")
_READABLE: Final = re.compile(r"[0-9A-Za-z]")  # found at once in nearly every text
_JOINERS: Final = "\u200c\u200d"  # needed inside of emoji and of Indic and Arabic scripts
_SIGNS: Final = frozenset("0123456789@.#*")  # a mark over one of these only hides it
# Letters of other scripts that look like Latin ones, in small and capital.
_LOOK_ALIKE: Final = {
    **dict(zip("аеорсухіѕјһԁԛԝӏ", "aeopcyxisjhdqwl", strict=True)),
    **dict(zip("АВЕКМНОРСТУХІЅЈ", "ABEKMHOPCTYXISJ", strict=True)),
    **dict(zip("αιονρτυχ", "aionptux", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
    **dict(zip("ıɑɡℓ", "iagl", strict=True)),
}


def normalised(text: str) -> str:
    """The text composed (NFC), without characters that can't be seen, with line breaks of one kind and blanks that look like blanks.

    Doing it twice changes nothing, and it is never longer than before. What can be seen, emoji and letters of every script, stays.
    """
    if text.isascii() or _PLAIN.match(text):
        return text
    composed = _composed(text)
    kept: list[str] = []
    end = 0
    for match in _NOT_ASCII.finditer(composed):
        character, place = match[0], match.start()
        if place > end:
            kept.append(composed[end:place])
        end = place + 1
        if character in "\u2028\u2029\u0085":
            kept.append("\n")
        elif character in _BLANKS:
            kept.append(" ")
        elif not _unseen(character, kept[-1][-1] if kept else " ", composed[end : end + 1]):
            kept.append(character)
    kept.append(composed[end:])
    again = _composed("".join(kept))  # what was taken out may have kept letters and their marks apart
    return again if again == text else normalised(again)


def _composed(text: str) -> str:
    """Letters and their marks as one where there is such a letter. The few that would be taken apart stay, so that nothing grows."""
    composed = normalize("NFC", text)
    return composed if len(composed) <= len(text) else text


def _unseen(character: str, before: str, after: str) -> bool:
    kind = category(character)
    if character in _JOINERS:
        return not (_joins(before) and after and _joins(after))
    if kind in ("Mn", "Me"):
        variation = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
        return before in _SIGNS or before.isspace() or (variation and category(before)[0] != "S" and before != "\u200d")
    return kind == "Cf" or (kind == "Cc" and character >= "\x80") or kind in ("Co", "Cn", "Cs")


def _joins(character: str) -> bool:
    return not character.isascii() and category(character)[0] in "SMLC" and not character.isspace()


def is_blank(text: str) -> bool:
    """Whether nobody could read anything in it: no letter, digit, sign or symbol that can be seen."""
    if _READABLE.search(text):
        return False
    return not any(category(character)[0] in "LNPS" for character in normalised(text))


def visible(text: str) -> str:
    """The text as it is; raises ValueError where it `is_blank`. For the validation of what somebody must have written."""
    if is_blank(text):
        raise ValueError("it holds nothing that can be read; write at least one letter")
    return text


def skeleton(text: str) -> str:
    """The text in characters that a pattern expects, of the same length: digits, signs, dashes and blanks of every kind as ASCII,
    letters that look like Latin ones as these. For searching in a `normalised` text, never for showing."""
    return text if text.isascii() else _NOT_ASCII_RUN.sub(lambda run: "".join(map(_simple, run[0])), text)


@lru_cache(maxsize=4_096)
def _simple(character: str) -> str:
    if character in _LOOK_ALIKE:
        return _LOOK_ALIKE[character]
    kind = category(character)
    if kind == "Nd":
        return str(decimal(character))
    if kind == "Zs":
        return " "
    if kind == "Pd" or character in "\u2212\u00af\u02d7\u2043\u207b\u208b":
        return "-"
    if character in "\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb\uff65":
        return "."
    wide = normalize("NFKC", character)
    return wide if len(wide) == 1 else character


def folded(text: str) -> str:
    """The skeleton in small letters without accents, of the same length: names are compared in it."""
    simple = skeleton(text)
    if simple.isascii():
        return simple.lower()
    # Letters that are not ASCII may grow when they are made small, so the length is kept by looking at them one by one.
    return _RUN.sub(lambda run: run[0].lower() if run[0].isascii() else "".join(map(_base, run[0])), simple)


@lru_cache(maxsize=4_096)
def _base(character: str) -> str:
    parts = normalize("NFD", character)
    base = parts[0] if len(parts) > 1 and parts[0].isascii() else character
    small = base.lower()
    return small if len(small) == 1 else base
