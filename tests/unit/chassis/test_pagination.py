"""Cursors: what was encoded comes back; anything else is the caller's mistake and never ours."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuntas_chassis.http.pagination import decode_cursor, encode_cursor
from tuntas_chassis.http.problems import Problem

values = st.lists(st.text() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4)


@given(values)
def test_a_cursor_brings_back_what_it_was_made_of_and_fits_into_an_address(key: list[str | int]) -> None:
    cursor = encode_cursor(key)
    assert decode_cursor(cursor, len(key)) == key
    assert cursor.replace("-", "a").replace("_", "a").isalnum()


def _encoded(content: object) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "####",
        _encoded({"a": 1}),
        _encoded(["one", "two"]),
        _encoded([None]),
        _encoded([True]),
        _encoded([1.5]),
        _encoded([["nested"]]),
        urlsafe_b64encode(b"[" * 45_000).decode(),
        urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_an_invalid_cursor_is_refused_with_what_to_do(cursor: str) -> None:
    with pytest.raises(Problem) as refusal:
        decode_cursor(cursor, 1)
    assert (refusal.value.status, refusal.value.code) == (422, "bad_cursor")
    assert "next_cursor" in refusal.value.detail


@given(st.text(), st.integers(1, 3))
def test_no_text_whatever_raises_anything_else(cursor: str, length: int) -> None:
    try:
        found = decode_cursor(cursor, length)
    except Problem:
        return
    assert len(found) == length
