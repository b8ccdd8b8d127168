"""Every error answer is a problem of RFC 9457 that says what to do, and never repeats what was sent."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

from tuntas_chassis.http.problems import Problem, install_problems
from tuntas_contracts.refusal import Refusal, RefusalCode

PERSON = "Siti Nurhaliza 081234567890"


class Letter(BaseModel):
    """What the test application takes."""

    title: Annotated[str, Field(max_length=5)]
    pages: int = 1


def _application() -> FastAPI:
    app = FastAPI()
    install_problems(app)

    @app.post("/letters")
    async def send(letter: Letter, urgent: Annotated[int, Query()] = 0) -> Letter:
        return letter

    @app.post("/problem")
    async def problem() -> None:
        raise Problem(429, "Too many", "Wait a minute.", "too_many", headers={"Retry-After": "60"})

    @app.post("/refusal")
    async def refusal() -> None:
        raise Refusal(RefusalCode.NOT_OWNER, "Triage has this case.")

    @app.post("/fault")
    async def fault() -> None:
        raise KeyError(PERSON)

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tests") as client:
        yield client


def _problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of an answer, after a look at its shape."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == "about:blank"
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"]
    assert problem["detail"]
    assert PERSON not in answer.text
    return problem


async def test_a_problem_is_answered_with_its_headers(http: httpx.AsyncClient) -> None:
    answer = await http.post("/problem")
    assert _problem(answer, 429, "too_many")["detail"] == "Wait a minute."
    assert answer.headers["retry-after"] == "60"
    assert "errors" not in answer.json()


async def test_a_refusal_of_the_domain_is_a_conflict(http: httpx.AsyncClient) -> None:
    assert _problem(await http.post("/refusal"), 409, "not_owner")["detail"] == "Triage has this case."


async def test_wrong_fields_are_named_each_with_a_message_and_without_their_values(http: httpx.AsyncClient) -> None:
    problem = _problem(await http.post("/letters?urgent=soon", json={"title": PERSON, "pages": PERSON}), 422, "invalid_request")
    assert {e["field"] for e in problem["errors"]} == {"body.title", "body.pages", "query.urgent"}
    assert all(e["message"] for e in problem["errors"])


async def test_a_body_of_thousands_of_faults_gets_a_short_answer() -> None:
    app = FastAPI()
    install_problems(app)

    @app.post("/many")
    async def many(letters: list[Letter]) -> None: ...

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tests") as http:
        answer = await http.post("/many", json=[{}] * 1000)
    assert len(_problem(answer, 422, "invalid_request")["errors"]) == 50


async def test_parts_of_a_request_in_an_answer_are_cut_off(http: httpx.AsyncClient) -> None:
    answer = await http.post("/letters", json={"x" * 100_000: 1})
    [*_, error] = _problem(answer, 422, "invalid_request")["errors"]
    assert len(error["field"]) <= 200
    assert len(answer.content) < 2_000


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", f'{{"title": "{PERSON}'.encode()])
async def test_a_body_that_is_not_json_gets_an_error_that_says_so(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/letters", content=body, headers={"content-type": "application/json"})
    if body:
        _problem(answer, 400, "not_json")
    else:
        assert _problem(answer, 422, "invalid_request")["errors"] == [{"field": "body", "message": "Field required"}]


async def test_an_unknown_path_and_a_wrong_method_are_problems_too(http: httpx.AsyncClient) -> None:
    assert "/docs" in _problem(await http.get(f"/{PERSON}"), 404, "http_404")["detail"]
    answer = await http.get("/letters")
    _problem(answer, 405, "http_405")
    assert answer.headers["allow"] == "POST"


async def test_an_internal_error_shows_no_details(http: httpx.AsyncClient) -> None:
    problem = _problem(await http.post("/fault"), 500, "internal_error")
    assert "KeyError" not in str(problem)
