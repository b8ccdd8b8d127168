"""Properties of masking that hold for any text."""

import re
from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from intake.domain.masking import Masker, OwnData
from tuntas_contracts.texts.normalisation import normalised
from tuntas_contracts.texts.spans import Identifier, Span, replaced

TEXTS = st.text(st.sampled_from("abc SITI siti nurh0123456789+-.,/()@[]\n") | st.characters(codec="utf-8"), max_size=200)
NAMES = st.lists(st.sampled_from(["Siti", "Nurhaliza", "Budi", "Hartono", "Wayan", "Simanjuntak"]), min_size=1, max_size=3, unique=True)
WORDS = st.lists(st.sampled_from(["jalan", "rusak", "di", "depan", "pasar", "sejak", "Mei", "Rp 5.000", "2024", ",", "."]), max_size=8)
SEPARATORS = st.sampled_from(["", " ", "-", "."])
PREFIXES = st.sampled_from(["0", "+62", "62", "+62 "])
CASES = st.sampled_from([str.upper, str.lower, str.title])


def owner(names: list[str]) -> OwnData:
    return OwnData(name=" ".join(names), email="reporter@contoh.id", phone="+6281298765432", address="Jl. Kenanga No. 7, Bogor")


def digits_of(text: str) -> str:
    return re.sub(r"\D", "", text)


@given(TEXTS, NAMES)
def test_masking_twice_changes_nothing(text: str, names: list[str]) -> None:
    masker = Masker(owner(names))
    once = masker.mask(text).text
    assert masker.mask(once).text == once


@given(TEXTS)
def test_without_a_mask_the_text_is_the_same_but_for_what_nobody_sees(text: str) -> None:
    masked = Masker(OwnData()).mask(text)
    assert masked.found or masked.text == normalised(text)
    assert all(kind.mask in masked.text for kind in masked.found)


@given(WORDS, WORDS, NAMES, CASES)
def test_no_part_of_the_own_name_is_left(before: list[str], after: list[str], names: list[str], case: object) -> None:
    assert callable(case)
    text = " ".join([*before, case(" ".join(names)), *after])
    masked = Masker(owner(names)).mask(text).text
    assert not any(re.search(rf"\b{name}\b", masked, re.IGNORECASE) for name in names)
    assert "[nama]" in masked


@given(WORDS, WORDS, st.from_regex(r"8[1-9]\d{8,9}", fullmatch=True), PREFIXES, SEPARATORS)
def test_no_phone_number_is_left(before: list[str], after: list[str], national: str, prefix: str, separator: str) -> None:
    assume(national.isascii())
    written = prefix + separator.join([national[:3], national[3:7], national[7:]])
    left = Masker(OwnData()).mask(" ".join([*before, "hp", written, *after])).text
    assert national not in digits_of(left)
    assert "[telepon]" in left


@given(WORDS, WORDS, st.integers(11, 94), st.integers(1, 31), st.integers(1, 12), st.sampled_from(["", " ", "."]))
def test_no_nik_is_left(before: list[str], after: list[str], province: int, day: int, month: int, separator: str) -> None:
    nik = f"{province}0102{day:02}{month:02}900001"
    written = separator.join(nik[start : start + 4] for start in range(0, 16, 4))
    left = Masker(OwnData()).mask(" ".join([*before, "NIK", written, *after])).text
    assert nik not in digits_of(left)


@given(WORDS)
def test_ordinary_words_money_and_years_are_left(words: list[str]) -> None:
    text = " ".join(words)
    assume(not re.search(r"\d{4} \d{4} \d{4}", text))  # years in a row are written as a card number is
    assert Masker(OwnData(name="Zulkarnain")).mask(text).text == text


@given(TEXTS, st.lists(st.tuples(st.integers(0, 199), st.integers(1, 20), st.sampled_from(list(Identifier))), max_size=6))
def test_nothing_outside_the_spans_is_lost(text: str, places: list[tuple[int, int, Identifier]]) -> None:
    assume("[" not in text and "]" not in text)
    spans = [Span(start, min(start + length, len(text)), kind) for start, length, kind in places if start < len(text)]
    hidden = {place for span in spans for place in range(span.start, span.end)}
    masked, kinds = replaced(text, spans)
    for kind in Identifier:
        masked = masked.replace(kind.mask, "")
    assert masked == "".join(letter for place, letter in enumerate(text) if place not in hidden)
    assert len(kinds) <= len(spans)


HOSTILE = (
    "12-05-2024 ",
    "62.01.",
    "1-",
    "0 8 ",
    "@",
    "a@a",
    "a (at) ",
    "siti ",
    "jalan ",
    "[nama]",
    "0812-3456-7890 ",
    "\u200b1",
    "e\u0301",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_grows_with_the_length_of_the_text_and_no_faster(piece: str) -> None:
    masker = Masker(owner(["Siti", "Nurhaliza"]))

    def cpu(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(3):
            started = process_time()
            masker.mask(text)
            times.append(process_time() - started)
        return min(times)

    assert cpu(80_000) < 9 * cpu(20_000) + 0.01  # four times the text; sixteen times the time would be quadratic
