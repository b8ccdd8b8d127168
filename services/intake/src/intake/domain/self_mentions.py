"""Finds a reporter's own name and address where the text repeats them."""

import re
from functools import cached_property
from typing import Final, NamedTuple

from tuntas_contracts.texts.name_words import CONNECTORS, EVERYDAY, SHORTEST, TITLES, joined
from tuntas_contracts.texts.normalisation import folded, normalised
from tuntas_contracts.texts.spans import Identifier, Span


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD: Final = re.compile(r"\w+")
_STREET_WORDS: Final = _words("jl jln jalan gg gang no nomor blok blk kav kavling perum perumahan komplek kompleks")
_AREA_WORDS: Final = _words("rt rw kel kelurahan kec kecamatan desa dusun kota kab kabupaten prov provinsi")
_SHORTEST_HANDLE: Final = 8
_SHORTEST_ADDRESS: Final = 6


class _Word(NamedTuple):
    start: int
    end: int
    text: str


class OwnName:
    """A reporter's name, taken apart once."""

    def __init__(self, name: str) -> None:
        parts = [part for part in _WORD.findall(folded(normalised(name))) if part not in TITLES]
        self._known = frozenset(parts) | CONNECTORS
        self._parts = [(part, part not in EVERYDAY) for part in dict.fromkeys(parts) if len(part) >= SHORTEST and part not in CONNECTORS]
        handles = {"".join(parts), "".join(parts[:2])} if len(parts) > 1 else set()
        self._handles = [handle for handle in handles if len(handle) >= _SHORTEST_HANDLE]  # as in @sitinurhaliza

    def spans(self, text: str) -> list[Span]:
        """Where the name stands whole or in parts in a `folded` text."""
        found: list[tuple[int, int, bool]] = []
        for part, identifies in self._parts:
            if part in text:
                found += [(start, end, identifies) for start, end in _occurrences(text, part)]
        spans = [Span(start, end, Identifier.NAME) for start, end in joined(text, sorted(found), self._known)] if found else []
        for handle in self._handles:
            if handle in text:
                spans += [Span(*match.span(), Identifier.NAME) for match in re.finditer(re.escape(handle), text)]
        return spans


def _occurrences(text: str, part: str) -> list[tuple[int, int]]:
    found = []
    start = text.find(part)
    while start >= 0:
        end = start + len(part)
        before, after = text[start - 1 : start], text[end : end + 1]
        if not before.isalnum() and not after.isalnum():
            found.append((start, end))
        start = text.find(part, end)
    return found


class OwnAddress:
    """A reporter's address, taken apart once.

    Found are the whole, its street with house number, and any part between commas that has a number. Its village or city
    alone is left, because the place of the complaint is mostly the same and the verifier needs it.
    """

    def __init__(self, address: str) -> None:
        self._address = folded(normalised(address))
        self._identifies = [word for word in _WORD.findall(self._address) if not word.isdigit() and word not in _STREET_WORDS]

    @cached_property
    def _phrases(self) -> list[tuple[str, ...]]:
        return _phrases(self._address)

    def spans(self, text: str) -> list[Span]:
        """Where a `folded` text repeats it."""
        if not any(word in text for word in self._identifies):
            return []  # most texts; taking the address apart costs more than this look
        wanted = [phrase for phrase in self._phrases if all(word in text for word in phrase)]
        if not wanted:
            return []
        words = [_Word(*match.span(), match[0]) for match in _WORD.finditer(text)]
        return [span for phrase in wanted for span in _phrase_spans(words, phrase)]


def _phrases(address: str) -> list[tuple[str, ...]]:
    segments = [_WORD.findall(segment) for segment in address.replace("\n", ",").split(",")]
    whole = tuple(word for segment in segments for word in segment)
    phrases = [whole, *(tuple(segment) for segment in segments if any(word[0].isdigit() for word in segment)), _street(whole)]
    bare = [_without(phrase, _STREET_WORDS) for phrase in phrases]
    return [
        phrase
        for phrase in dict.fromkeys(bare)
        if len(" ".join(phrase)) >= _SHORTEST_ADDRESS
        and any(not w.isdigit() for w in phrase)
        and len(phrase) > (1 if len(segments) > 1 else 0)
    ]


def _street(words: tuple[str, ...]) -> tuple[str, ...]:
    """From the beginning up to the first number, before any name of an area."""
    taken: list[str] = []
    for word in words:
        if word in _AREA_WORDS:
            break
        taken.append(word)
        if word[0].isdigit():
            return tuple(taken)
    return ()


def _without(phrase: tuple[str, ...], words: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in phrase if word not in words)


def _phrase_spans(words: list[_Word], phrase: tuple[str, ...]) -> list[Span]:
    spans: list[Span] = []
    for begin, word in enumerate(words):
        if word.text != phrase[0]:
            continue
        at, matched = begin, 0
        while at < len(words) and matched < len(phrase):
            if words[at].text == phrase[matched]:
                matched += 1
            elif words[at].text not in _STREET_WORDS:
                break
            at += 1
        if matched == len(phrase):
            first = begin
            while first and words[first - 1].text in _STREET_WORDS and words[first].start - words[first - 1].end <= 2:
                first -= 1
            spans.append(Span(words[first].start, words[at - 1].end, Identifier.ADDRESS))
    return spans
