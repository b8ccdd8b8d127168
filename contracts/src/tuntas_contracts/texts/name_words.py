"""The words of a person's name in a text: which of them identify the person, and which belong together."""

import re
from typing import Final, NamedTuple
from unicodedata import category

from tuntas_contracts.texts.normalisation import folded, normalised


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHORTEST: Final = 3
"""Letters; shorter parts of names are in every text."""
MOST: Final = 12
"""Words of one name that are distinguished."""
CONNECTORS: Final = _words("bin binti van de al el bt bte")
TITLES: Final = _words("h hj haji hajah dr dra drs drg ir prof kh ust ustadz bapak ibu pak bu sdr sdri saudara saudari tn ny nn raden")
"""Titles and degrees stand beside a name but give nobody away."""
EVERYDAY: Final = _words(
    "adil agustus aman anak april bagus bahagia bakti baru bintang bulan bumi bunga cahaya cinta damai dan desa dunia emas "
    "embun fajar guntur gunung hari hujan indah intan jalan januari jaya juli jumat juni kamis kasih kota lalu laut maju "
    "maret mawar melati merdeka minggu mulia mulya murni mutiara nama nusa pagi pelita permata puspa putih rabu rejeki rukun "
    "sabar sabtu samudra saya sejahtera selamat selasa senin sentosa setia siang subur suci tanjung tentang teratai timur "
    "utama utara wangi warga yang"
)
"""Names that are words of every day: masked beside another part of the name or after an introduction, or the text is ruined."""
_INTRODUCTION: Final = re.compile(
    r"(?:\bnama|\bnama\s+saya|\bsaya|\bbernama|\bperkenalkan|\ban\.?|\ba\.?\s?n\.?|\batas\s+nama|\bpelapor|\bbapak|\bibu|\bpak|\bbu|\bsdri?\.?"
    r"|\bsaudar[ai])\s*(?:adalah|ialah|:|,)?\s*$",
    re.IGNORECASE,
)
_INTRODUCTION_REACH: Final = 24
_LONGEST_GAP: Final = 20
_PART: Final = re.compile(r"\w+")
_PARTED: Final = re.compile(r"[^\w \t.'’_-]")  # what ends a name: a comma, a new line
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("’‘ʼʻ`´′", "'"))
# What Indonesian writes onto a word: his, my, your; and particles.
_SUFFIXES: Final = ("nya", "ku", "mu", "lah", "kah", "pun")


class Word(NamedTuple):
    """What may be a word of a name, in small Latin letters, and where it stands."""

    start: int
    end: int
    text: str


def name_words(name: str) -> tuple[str, ...]:
    """The words that identify a name, each once: without titles, connectors and words of fewer than three letters; twelve at most.

    A word with an apostrophe counts whole without it (maruf), and its parts count too.
    """
    found: dict[str, None] = {}
    for word in _WORD.findall(_one_apostrophe(folded(normalised(name)))):
        forms = (word,) if "'" not in word else (word.replace("'", ""), *word.split("'"))
        for form in forms:
            if len(form) >= SHORTEST and form not in TITLES and form not in CONNECTORS:
                found[form] = None
    return tuple(found)[:MOST]


def words_in(text: str) -> list[Word]:
    """Every form in which a word of a `normalised` text may be a word of a name, in order of the text."""
    small = folded(text)
    if small.isascii():
        return [form for word in _words_of(small) for form in _forms(word)]
    # a mark that goes with no letter as one (B̈udi) parts no word
    places = [at for at, character in enumerate(small) if character.isascii() or category(character) not in ("Mn", "Me")]
    bare = "".join(small[at] for at in places)
    places.append(len(small))
    forms = [form for word in _words_of(bare) for form in _forms(word)]
    return [Word(places[form.start], places[form.end], form.text) for form in forms]


def _one_apostrophe(small: str) -> str:
    """With apostrophes of one kind."""
    return small if small.isascii() and "`" not in small else small.translate(_APOSTROPHES)


def _words_of(small: str) -> list[Word]:
    return [Word(*match.span(), match[0]) for match in _WORD.finditer(_one_apostrophe(small))]


def _whole_and_parts(word: Word) -> list[Word]:
    if "'" not in word.text:
        return [word] if len(word.text) >= SHORTEST else []
    parts = [word._replace(text=word.text.replace("'", ""))]
    start = word.start
    for part in word.text.split("'"):
        parts.append(Word(start, start + len(part), part))
        start += len(part) + 1
    return [part for part in parts if len(part.text) >= SHORTEST]


def _forms(word: Word) -> list[Word]:
    forms: list[Word] = []
    for form in _whole_and_parts(word):
        forms.append(form)
        for suffix in _SUFFIXES:
            if form.text.endswith(suffix) and len(form.text) - len(suffix) >= SHORTEST:
                forms.append(Word(form.start, form.end - len(suffix), form.text.removesuffix(suffix)))
    return forms


def joined(text: str, found: list[tuple[int, int, bool]], known: frozenset[str]) -> list[tuple[int, int]]:
    """Parts of a name that stand beside each other in a `folded` text as one stretch; only `known` words may stand between them.

    Each part comes with whether it identifies a name by itself; one that does not (see `EVERYDAY`) counts alone only after an introduction.
    """
    runs: list[tuple[int, int, bool]] = []
    for start, end, identifying in found:
        if runs and _only_name(text[runs[-1][1] : start], known):
            runs[-1] = (runs[-1][0], max(runs[-1][1], end), True)
        else:
            runs.append((start, end, identifying))
    return [
        (start, end)
        for start, end, identifying in runs
        if identifying or _INTRODUCTION.search(text[max(0, start - _INTRODUCTION_REACH) : start])
    ]


def _only_name(gap: str, known: frozenset[str]) -> bool:
    return len(gap) <= _LONGEST_GAP and not _PARTED.search(gap) and all(word in known for word in _PART.findall(gap))
