"""A hot route is served before the application, and its errors are answered as every error of the application is."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from tuntas_chassis.http.hot_routes import HotRoute, HotRoutes
from tuntas_chassis.http.problems import Problem, install_problems


class Letter(BaseModel):
    title: str


FAILURES: dict[str, tuple[Callable[[], Exception], int, str]] = {
    "problem": (lambda: Problem(422, "No", "Send another.", "no_letter"), 422, "no_letter"),
    "gone": (ClientDisconnect, 408, "incomplete_request"),
    "unexpected": (lambda: RuntimeError("Siti Nurhaliza"), 500, "internal_error"),
}


class Kept:
    """What a request left behind."""

    scope: dict[str, object]


async def handle(request: Request) -> Response:
    Kept.scope = dict(request.scope)
    if (name := request.query_params.get("fail")) is not None:
        raise FAILURES[name][0]()
    return Response(await request.body(), 201, media_type="application/json")


@pytest.fixture
def application() -> FastAPI:
    app = FastAPI()
    install_problems(app)

    async def submit(letter: Letter) -> None:
        """Documented."""

    app.router.routes.append(HotRoute("/v1/letters", submit, handle, methods=["POST"], status_code=201))

    @app.get("/v1/letters")
    async def letters() -> list[str]:
        return ["cold"]

    return app


@pytest.fixture
async def http(application: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    hot = HotRoutes(application, application.router.routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(hot, raise_app_exceptions=False), base_url="http://tests") as client:
        yield client


async def test_it_is_served_without_the_application(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/letters", content=b'{"title": 1}')
    assert (answer.status_code, answer.content) == (201, b'{"title": 1}')
    assert "app" not in Kept.scope, "the application had a part in it"
    assert getattr(Kept.scope["route"], "path", None) == "/v1/letters"


async def test_the_application_alone_serves_it_too(application: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://tests") as client:
        answer = await client.post("/v1/letters", content=b'{"title": 1}')
    assert (answer.status_code, answer.content) == (201, b'{"title": 1}')


async def test_every_other_request_goes_to_the_application(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/letters")).json() == ["cold"]
    assert (await http.put("/v1/letters")).status_code == 405
    assert (await http.post("/v1/letters/")).status_code in (307, 404)
    schema = (await http.get("/openapi.json")).json()
    assert schema["paths"]["/v1/letters"]["post"]["description"] == "Documented."


@pytest.mark.parametrize("name", FAILURES)
async def test_an_error_it_raises_is_answered_like_every_error(http: httpx.AsyncClient, name: str) -> None:
    _, status, code = FAILURES[name]
    answer = await http.post("/v1/letters", params={"fail": name}, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Siti" not in answer.text
