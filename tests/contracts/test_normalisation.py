"""The normal form of what people write: what nobody sees is gone, what somebody sees stays, look-alikes are equal in a search."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuntas_contracts.texts.normalisation import folded, is_blank, normalised, skeleton

HOSTILE = st.text(
    st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066\u2069\u2028\u2800\u3164\u0301\u0336\ufe0f\u20e3\ud83d0812@.#aeé 👍क़")
    | st.characters(codec="utf-8"),
    max_size=60,
)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("0812\u200b3456\u200d7890", "081234567890"),
        ("la\u00adpor", "lapor"),
        ("\u202eterbalik\u202c", "terbalik"),
        ("satu\u2066dua\u2069", "satudua"),
        ("baris\u2028baru", "baris\nbaru"),
        ("\ufeffJudul", "Judul"),
        ("Ame\u0301lie", "Amélie"),
        ("0\u03368\u03361", "081"),
        ("0\ufe0f\u20e38\ufe0f\u20e3", "08"),
        ("a\u2800b\u3164c", "a b c"),
        ("a\u0301\u200b", "á"),
        ("a\u200b\u0301", "á"),
    ],
)
def test_what_nobody_sees_is_taken_out(written: str, normal: str) -> None:
    assert normalised(written) == normal


@pytest.mark.parametrize(
    "text",
    ["Jalan rusak — sudah 2 minggu…", "👨‍👩‍👧 keluarga", "❤️", "ꦄꦏ꧀ꦱꦫ", "क्‍ष", "لا‌يمكن", "10 ㎡, 5 ℃, ½", "日本語", "Żółć é ñ", "𝔄"],
)
def test_what_somebody_sees_stays(text: str) -> None:
    assert normalised(text) == normalize("NFC", text)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u2800\u2800", "\u3164", "\u00ad\ufeff", "\n\t\u00a0", "\u0301", "\u202e\u202c"])
def test_a_text_that_nobody_can_read_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "7", "?", "👍", "é", "अ", "\u200bx"])
def test_a_text_with_anything_to_read_is_not(text: str) -> None:
    assert not is_blank(text)


@given(HOSTILE)
def test_twice_is_as_once_and_never_longer(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert len(once) <= len(text)


@given(HOSTILE)
def test_what_is_searched_in_has_the_length_of_what_is_shown(text: str) -> None:
    normal = normalised(text)
    assert len(skeleton(normal)) == len(normal) == len(folded(normal))


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("０８１２", "0812"),
        ("𝟎𝟖①②", "0812"),
        ("٠٨١٢", "0812"),
        ("a＠b．id", "a@b.id"),
        ("1\u22122\u20113\u20134", "1-2-3-4"),
        ("1\u202f2\u00a03\u30004", "1 2 3 4"),
        ("Ѕіtі", "Siti"),
    ],
)
def test_look_alikes_are_equal_in_a_search(text: str, simple: str) -> None:
    assert skeleton(text) == simple


def test_names_are_compared_without_accents_and_capitals() -> None:
    assert folded("AMÉLIE Şükrü") == "amelie sukru"
    assert folded("İstanbul ẞ") == "istanbul ß"
