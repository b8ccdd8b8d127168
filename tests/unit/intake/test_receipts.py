"""Tracking ids and access codes."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from intake.domain.receipts import ALPHABET, access_code_hash, access_code_matches, new_access_code, new_tracking_id, read_tracking_id

PEPPER = b"pepper"
PLACES = st.integers(0, 11)


def test_a_tracking_id_is_twelve_letters_in_groups_of_four() -> None:
    groups = new_tracking_id().split("-")
    assert [len(group) for group in groups] == [4, 4, 4]
    assert set("".join(groups)) <= set(ALPHABET)


def test_neither_tracking_ids_nor_access_codes_repeat_or_grow() -> None:
    ids, codes = [new_tracking_id() for _ in range(500)], [new_access_code() for _ in range(500)]
    assert len(set(ids)) == len(set(codes)) == 500
    assert ids != sorted(ids)


def test_an_access_code_has_eighty_bits() -> None:
    assert [len(group) for group in new_access_code().split("-")] == [4, 4, 4, 4]


def test_a_tracking_id_is_read_as_people_type_it() -> None:
    tracking_id = new_tracking_id()
    typed = tracking_id.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert read_tracking_id(f"  {typed} ") == tracking_id


@given(place=PLACES, by=st.integers(1, 31))
def test_one_wrong_letter_is_noticed(place: int, by: int) -> None:
    letters = list(new_tracking_id().replace("-", ""))
    letters[place] = ALPHABET[(ALPHABET.index(letters[place]) + by) % 32]
    assert read_tracking_id("".join(letters)) is None


@given(st.text(max_size=30))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    read = read_tracking_id(text)
    assert read is None or read_tracking_id(read) == read


def test_a_code_opens_its_own_case_only() -> None:
    case_id, code = uuid4(), new_access_code()
    kept = access_code_hash(PEPPER, case_id, code)
    assert access_code_matches(PEPPER, case_id, code.lower().replace("-", ""), kept)
    assert not access_code_matches(PEPPER, uuid4(), code, kept)
    assert not access_code_matches(b"another pepper", case_id, code, kept)
    assert not access_code_matches(PEPPER, case_id, new_access_code(), kept)
    assert code.replace("-", "").encode() not in kept
