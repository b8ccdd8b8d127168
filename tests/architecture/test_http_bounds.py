"""Every field of every body and parameter that a service takes or answers over HTTP is bounded, and every body is read strictly."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tests.architecture.built_services import built
from tests.support.field_bounds import Bounds
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_contracts.vocabulary import Service

BOUNDED_ELSEWHERE = (
    "GET /v1/parked/{message_id} answers.value has no bound",  # the shape of a dead letter: `masked_message`
    "GET /v1/agency-changes answers.changes[].before.values has no bound",  # fields of the register: `AgencyEntry`
    "GET /v1/agency-changes answers.changes[].after.values has no bound",
)


def routes_of(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """Every route, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (included := getattr(route, "original_router", None)) is not None:
            yield from routes_of(included.routes)


def parameters_of(dependant: Dependant) -> Iterator[Any]:
    """What a route and its dependencies take."""
    yield from (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.cookie_params, *dependant.body_params)
    for below in dependant.dependencies:
        yield from parameters_of(below)


def types_of(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """What each route takes and answers, with a name."""
    for route in routes_of(app.routes):
        name = f"{'/'.join(sorted(route.methods or ()))} {route.path}"
        for field in parameters_of(route.dependant):
            yield f"{name} {field.name}", Annotated[field.field_info.annotation, field.field_info]
        for answer in (route.response_field, *route.response_fields.values()):
            if answer is not None:
                yield f"{name} answers", answer.field_info.annotation


def faults(app: FastAPI) -> list[str]:
    """Every field without a bound."""
    return [fault for name, kind in types_of(app) for fault in Bounds(kind, name).faults if not fault.startswith(BOUNDED_ELSEWHERE)]


@pytest.mark.parametrize("service", list(Service))
def test_every_field_over_http_has_a_bound(service: str) -> None:
    assert faults(built(service).http) == []


@pytest.mark.parametrize("service", list(Service))
def test_every_body_is_read_strictly(service: str) -> None:
    lax = [route.path for route in routes_of(built(service).http.routes) if route.body_field and not isinstance(route, JsonRoute)]
    assert lax == (["/v1/reports"] if service == Service.INTAKE else []), "that one checks it in its own code"


class Named(BaseModel):
    name: str


def test_an_unbounded_field_of_a_body_or_a_parameter_is_found() -> None:
    app = FastAPI()

    @app.post("/names/{code}")
    async def rename(code: str, body: Named, limit: int = 5) -> list[Named]:
        return [body] * limit

    assert {fault.partition(" has")[0] for fault in faults(app)} == {
        "POST /names/{code} code",
        "POST /names/{code} body.name",
        "POST /names/{code} limit",
        "POST /names/{code} answers",
        "POST /names/{code} answers[].name",
    }
