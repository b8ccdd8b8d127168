"""JSON of others has one meaning for every reader, within bounds, and an error does not quote what is refused."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tuntas_chassis import strict_json
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.problems import install_problems
from tuntas_chassis.strict_json import MAX_DEPTH, MAX_NUMBER_LENGTH, UnreadableJson, read_json

PERSON = "Siti Nurhaliza"
REFUSED: dict[str, tuple[bytes, str]] = {
    "a field twice": (b'{"title": "a", "body": "b", "title": "c"}', "'title' is given more than once"),
    "a field twice further inside": (b'{"place": [{"text": 1, "text": 1}]}', "'text' is given more than once"),
    "a field twice, written differently": (b'{"title": 1, "t\\u0069tle": 2}', "'title' is given more than once"),
    "a name that is none of ours": (f'{{"{PERSON}": 1, "{PERSON}": 2}}'.encode(), "a name is given more than once"),
    "an array too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deep"),
    "an object too deep": (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "deep"),
    "deeper than any parser goes": (b"[" * 100_000 + b"]" * 100_000, "deep"),
    "an integer too long": (b'{"n": ' + b"9" * (MAX_NUMBER_LENGTH + 1) + b"}", "101 digits"),
    "an integer longer than any parser reads": (b'{"n": ' + b"9" * 100_000 + b"}", "digits"),
    "a fraction too long": (b'{"n": 1.' + b"0" * 240_000 + b"}", "digits"),
    "no number": (b'{"n": NaN}', "NaN"),
    "no end": (b'{"n": -Infinity}', "-Infinity"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_ambiguous_or_unbounded_json_is_refused(name: str) -> None:
    data, why = REFUSED[name]
    with pytest.raises(UnreadableJson, match=why) as refusal:
        read_json(data)
    assert PERSON not in str(refusal.value)


def test_json_within_the_bounds_is_read() -> None:
    deep = b"[" * MAX_DEPTH + b"9" * MAX_NUMBER_LENGTH + b"]" * MAX_DEPTH
    assert read_json(deep) == json.loads(deep)
    assert read_json('{"a": {"a": "[[[["}, "b": [1.5, -0, 1e3, null, true]}'.encode("utf-16")) == {
        "a": {"a": "[[[["},
        "b": [1.5, 0, 1000.0, None, True],
    }
    brackets = json.dumps({"text": "[" * 500 + "{" * 500})
    assert read_json(brackets.encode()) == json.loads(brackets)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**90), 10**90) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


LIKE_JSON = st.text(alphabet='{}[]":,1eE.-+\\u0 ntf', max_size=60).map(str.encode)


@given(anything)
def test_all_that_json_writes_is_read_as_it_was(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60) | LIKE_JSON)
def test_whatever_the_bytes_they_are_read_refused_or_no_json(data: bytes) -> None:
    try:
        found = read_json(data)
    except (UnreadableJson, json.JSONDecodeError):
        return
    assert found == json.loads(data)


@given(anything.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60) | LIKE_JSON)
def test_the_fast_reader_accepts_nothing_that_the_thorough_one_refuses(data: bytes) -> None:
    assert _outcome(read_json, data) == _outcome(strict_json._read_slowly, data)


def _outcome(read: Callable[[bytes], Any], data: bytes) -> object:
    try:
        return read(data)
    except (UnreadableJson, json.JSONDecodeError) as error:
        return str(error)


class Letter(BaseModel):
    title: str


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    router = APIRouter(prefix="/v1", route_class=JsonRoute)

    @router.post("/letters")
    async def write(letter: Letter) -> Letter:
        return letter

    @router.get("/letters")
    async def read() -> Letter:
        return Letter(title="a")

    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tests") as client:
        yield client


@pytest.mark.parametrize("name", REFUSED)
async def test_a_body_that_is_refused_is_answered_with_the_reason(http: httpx.AsyncClient, name: str) -> None:
    data, why = REFUSED[name]
    answer = await http.post("/v1/letters", content=data, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "json_refused")
    assert why in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_other_bodies_are_answered_as_before(http: httpx.AsyncClient) -> None:
    sent = {"content-type": "application/json"}
    assert (await http.post("/v1/letters", json={"title": "a"})).json() == {"title": "a"}
    assert (await http.get("/v1/letters")).json() == {"title": "a"}
    assert (await http.post("/v1/letters", content=b"{", headers=sent)).json()["code"] == "not_json"
    assert (await http.post("/v1/letters", content=b"\xff\xfe\x00", headers=sent)).json()["code"] == "not_json"
    assert (await http.post("/v1/letters", content=b"", headers=sent)).status_code == 422
