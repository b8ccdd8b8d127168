"""A reporter's name is found in a text by fingerprints of its words, and nothing else of the text is changed."""

from base64 import b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.names import NAMES
from tuntas_contracts.texts.name_fingerprints import NameKeys, packed, unpacked
from tuntas_contracts.texts.name_words import name_words, words_in
from tuntas_contracts.texts.normalisation import normalised

CASE, OTHER = UUID(int=1), UUID(int=2)
LONG = 20_000


def masked(text: str, name: str = "Siti Nurhaliza", *, longest: int = LONG, case_id: UUID = CASE) -> str:
    """The text in a case whose reporter has that name; `case_id` is the case that it is looked for in."""
    return NAMES.mask(case_id, packed(NAMES.fingerprints(CASE, name)), text, longest)


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Siti Nurhaliza", "Ibu Siti Nurhaliza sudah kami hubungi.", "Ibu [nama] sudah kami hubungi."),
        ("Siti Nurhaliza", "Sdri. SITI sudah datang; nurhaliza setuju.", "Sdri. [nama] sudah datang; [nama] setuju."),
        ("Siti Nurhaliza", "Siti, Nurhaliza\nSiti", "[nama], [nama]\n[nama]"),
        ("Siti Nurhaliza", "Siti-Nurhaliza dan siti_nurhaliza", "[nama] dan [nama]_[nama]"),
        ("Siti Nurhaliza", "Berkas Sitinya dan Siti-nya, rumahnya", "Berkas [nama]nya dan [nama]-nya, rumahnya"),
        ("Siti Nurhaliza", "Nurhaliza's report, Sitilah pelapornya", "[nama]'s report, [nama]lah pelapornya"),
        ("Siti Nurhaliza", "Situs, Sitinjak dan Nurhalizah bukan dia", "Situs, Sitinjak dan Nurhalizah bukan dia"),
        ("Siti binti Nurhaliza", "Siti binti Nurhaliza, bin, binti", "[nama], bin, binti"),
        ("Bapak Budi", "Bapak Budi; bapak lain", "Bapak [nama]; bapak lain"),
        ("H. Budi, S.T.", "S.T. atas nama Budi2", "S.T. atas nama [nama]2"),
        ("Wa Ode Li", "Wa Ode Li datang", "Wa [nama] Li datang"),
        ("Ma'ruf", "Maruf, Ma'ruf, Ma’ruf, MAʼRUF, ma`rufnya", "[nama], [nama], [nama], [nama], [nama]nya"),
        ("Nur’aini", "Ibu Aini, Nuraini, Nur'Aini", "Ibu [nama], [nama], [nama]"),
        ("Siti Nurhaliza", "Ѕіtі Νurhаlіzа", "[nama]"),  # Cyrillic and Greek letters
        ("Siti Nurhaliza", "Síti Nürhaliza", "[nama]"),
        ("Siti Nurhaliza", "S̲i̲t̲i̲ sudah datang", "[nama] sudah datang"),
        ("Siti Nurhaliza", "Si\u200bti Nur\u00adhaliza, ＳＩＴＩ, 𝐒𝐢𝐭𝐢", "[nama], [nama], [nama]"),
        ("Ѕіtі", "Siti datang", "[nama] datang"),
        ("Bunga Citra", "Bunga di taman; Ibu Bunga; Bunga Citra", "Bunga di taman; Ibu [nama]; [nama]"),
        ("Siti Nurhaliza", "Hubungi [telepon] atau [nama]", "Hubungi [telepon] atau [nama]"),
        ("Nama Telepon", "[nama] dan [telepon]", "[nama] dan [telepon]"),
        ("", "Ibu Siti", "Ibu Siti"),
        ("李 明", "李 明 datang", "李 明 datang"),
    ],
)
def test_the_words_of_a_name_are_masked_however_they_are_written(name: str, text: str, left: str) -> None:
    assert masked(text, name) == left


def test_the_same_name_says_nothing_in_another_case() -> None:
    assert masked("Siti Nurhaliza", case_id=OTHER) == "Siti Nurhaliza"
    assert not set(NAMES.fingerprints(CASE, "Siti Nurhaliza")) & set(NAMES.fingerprints(OTHER, "Siti Nurhaliza"))


def test_fingerprints_made_with_a_former_key_are_compared_and_new_ones_made_with_the_newest() -> None:
    one, two = bytes([1]) * 32, bytes([2]) * 32
    former, rotated = NameKeys([one]), NameKeys([two, one])
    assert rotated.mask(CASE, packed(former.fingerprints(CASE, "Budi")), "Budi", LONG) == "[nama]"
    assert rotated.fingerprints(CASE, "Budi") == NameKeys([two]).fingerprints(CASE, "Budi")
    assert NameKeys([two]).mask(CASE, packed(former.fingerprints(CASE, "Budi")), "Budi", LONG) == "Budi"


def test_a_fingerprint_is_64_bits_and_stays_what_it_is() -> None:
    # kept on topics for ever: another value here would leave names of older reports unmasked
    told = ("57b25428a72d6345", "d8d22cb1524994ed", "6dc563a201e9f3d9", "c96f71c52d071d24")
    assert NAMES.fingerprints(CASE, "Siti Nur'aini") == told


def test_short_words_and_titles_are_left_out_and_twelve_words_are_kept() -> None:
    assert name_words("H. Wa Li") == ()
    assert name_words("Bapak Budi bin Budi, Dr.") == ("budi",)
    many = " ".join(f"{letter}{letter}{letter}" for letter in "abcdefghijklmnop")
    assert name_words(many) == tuple(letter * 3 for letter in "abcdefghijkl")
    assert len(NAMES.fingerprints(CASE, many)) == 12
    assert masked("aaa ppp", many) == "[nama] ppp"


def test_no_name_has_no_fingerprints() -> None:
    assert NAMES.fingerprints(CASE, None) == NAMES.fingerprints(CASE, "") == NAMES.fingerprints(CASE, "李") == ()


@pytest.mark.parametrize(("longest", "left"), [(6, "[nama]"), (5, "[…]")])
def test_a_mask_makes_no_text_too_long(longest: int, left: str) -> None:
    """A refusal would tell whether a guess at the name was right."""
    assert masked("Siti", longest=longest) == left


@pytest.mark.parametrize("keys", ["", " , ", "abc", "not base64!", b64encode(bytes(31)).decode(), f"{b64encode(bytes(32)).decode()},YWJj"])
def test_unusable_keys_are_refused_with_what_to_do(keys: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32"):
        NameKeys.from_base64(keys)


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=12))
def test_packed_fingerprints_are_unpacked_as_they_were(digests: list[bytes]) -> None:
    told = tuple(digest.hex() for digest in digests)
    assert unpacked(packed(told)) == told


TEXTS = st.text(
    st.one_of(st.sampled_from("sitinurhalSITI ,.'-’[]\u0300\u0332\u200b"), st.characters(exclude_categories=["Cs"])), max_size=60
)


@given(st.lists(TEXTS, max_size=4), st.sampled_from(["Siti", "nurhaliza", "SITI NURHALIZA", "Sі\u0332ti"]))
def test_what_is_not_the_name_stays_where_it_is(pieces: list[str], name: str) -> None:
    """Whatever stands around it: the text without its masks is the text without the name."""
    around = [normalised(piece).replace("[nama]", "") for piece in pieces]
    text = f" | {name} | ".join(around)
    found = masked(text)
    assert masked(found) == found
    assert "nurhaliza" not in found.lower().split()
    rest, at = normalised(text), 0
    for piece in found.split("[nama]"):
        begin = rest.find(piece, at)
        assert begin >= at, "every stretch between masks is a stretch of the text, in order"
        at = begin + len(piece)
    assert found.count("[nama]") >= len(pieces) - 1


@given(TEXTS)
def test_words_lie_where_they_say(text: str) -> None:
    plain = normalised(text)
    for word in words_in(plain):
        assert 0 <= word.start < word.end <= len(plain)
        assert len(word.text) >= 3
