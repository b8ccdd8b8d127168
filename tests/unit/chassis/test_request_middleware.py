"""What surrounds every request: the size limit, metrics whose labels stay bounded, and a span."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import generate_latest
from pydantic import BaseModel

from tests.unit.chassis.builders import A_TRACE, settings
from tuntas_chassis.http.middleware import RequestMiddleware
from tuntas_chassis.http.problems import install_problems
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_chassis.telemetry.tracing import Tracing, current_traceparent

LIMIT = 2_000


class Letter(BaseModel):
    """What the test application takes."""

    text: str


@pytest.fixture
def metrics() -> MetricSet:
    return MetricSet(CHASSIS_METRICS)


@pytest.fixture
def spans(tmp_path: Path) -> Path:
    return tmp_path / "spans.jsonl"


@pytest.fixture
def tracing(spans: Path) -> Iterator[Tracing]:
    made = Tracing("tests", settings(trace_file=spans, trace_ratio=0))
    yield made
    made.close()


@pytest.fixture
async def http(metrics: MetricSet, tracing: Tracing) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.add_middleware(RequestMiddleware, metrics=metrics, tracing=tracing, max_body_bytes=LIMIT)
    router = APIRouter(prefix="/v1")

    @router.post("/letters/{letter_id}")
    async def send(letter_id: str, letter: Letter) -> dict[str, str]:
        return {"traceparent": current_traceparent()}

    @router.get("/fault")
    async def fault() -> None:
        raise KeyError("Siti Nurhaliza")

    @app.get("/readyz")
    async def readyz() -> str:
        return current_traceparent()

    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tests") as client:
        yield client


async def _in_pieces(size: int) -> AsyncIterator[bytes]:
    yield b'{"text": "'
    for _ in range(size // 100):
        yield b"x" * 100
    yield b'"}'


def _read(spans: Path, tracing: Tracing) -> list[dict[str, Any]]:
    tracing.close()
    return [json.loads(line) for line in spans.read_text("utf-8").splitlines()] if spans.exists() else []


JSON = {"content-type": "application/json"}


async def test_a_body_up_to_the_limit_passes_and_a_longer_one_is_refused_by_its_announced_length(http: httpx.AsyncClient) -> None:
    fits = json.dumps({"text": "x" * (LIMIT - 12)})
    assert len(fits) == LIMIT
    assert (await http.post("/v1/letters/1", content=fits, headers=JSON)).status_code == 200
    _too_large(await http.post("/v1/letters/1", content=fits + " ", headers=JSON))


async def test_a_body_of_unknown_length_is_refused_once_it_has_grown_too_long(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/letters/1", content=_in_pieces(LIMIT - 200), headers=JSON)).status_code == 200
    _too_large(await http.post("/v1/letters/1", content=_in_pieces(LIMIT + 200), headers=JSON))


@pytest.mark.parametrize("length", ["-1", "many", ""])
async def test_a_length_that_is_no_number_is_refused(http: httpx.AsyncClient, length: str) -> None:
    _too_large(await http.post("/v1/letters/1", content=_in_pieces(100), headers=JSON | {"content-length": length}))


def _too_large(answer: httpx.Response) -> None:
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"
    assert "2,000 bytes" in answer.json()["detail"]


async def test_requests_are_counted_by_route_and_never_by_path(http: httpx.AsyncClient, metrics: MetricSet) -> None:
    for n in range(3):
        await http.post(f"/v1/letters/{n}", json={"text": "x"})
        await http.get(f"/nothing/{n}")
        await http.delete(f"/v1/letters/{n}")
    await http.post("/v1/letters/1", json={})

    def count(*labels: str) -> float | None:
        return metrics.value("tuntas_http_requests_total", *labels)

    assert count("/v1/letters/{letter_id}", "POST", "200") == 3
    assert count("/v1/letters/{letter_id}", "POST", "422") == 1
    assert count("/v1/letters/{letter_id}", "DELETE", "405") == 3
    assert count("unmatched", "GET", "404") == 3
    assert metrics.value("tuntas_http_request_seconds", "/v1/letters/{letter_id}", "POST") == 4
    assert "/nothing" not in generate_latest(metrics.registry).decode()


async def test_an_unexpected_error_is_counted_and_traced_without_its_message(
    http: httpx.AsyncClient, metrics: MetricSet, tracing: Tracing, spans: Path
) -> None:
    assert (await http.get("/v1/fault", headers={"traceparent": A_TRACE})).status_code == 500
    assert metrics.value("tuntas_http_requests_total", "/v1/fault", "GET", "500") == 1
    (span,) = _read(spans, tracing)
    assert (span["name"], span["status"], span["attributes"]["error.type"]) == ("GET /v1/fault", "ERROR", "KeyError")
    assert "Siti" not in spans.read_text("utf-8")


async def test_health_and_metrics_are_neither_counted_nor_traced(http: httpx.AsyncClient, metrics: MetricSet) -> None:
    assert (await http.get("/readyz", headers={"traceparent": A_TRACE})).json() == ""
    assert 'route="/readyz"' not in generate_latest(metrics.registry).decode()


async def test_a_request_continues_the_callers_trace(http: httpx.AsyncClient, tracing: Tracing, spans: Path) -> None:
    answer = await http.post("/v1/letters/1", json={"text": "x"}, headers={"traceparent": A_TRACE})
    (span,) = _read(spans, tracing)
    assert (span["trace_id"], span["parent_id"]) == ("ab" * 16, "cd" * 8)
    assert answer.json()["traceparent"] == f"00-{span['trace_id']}-{span['span_id']}-01"
    assert (span["name"], span["kind"], span["service"]) == ("POST /v1/letters/{letter_id}", "SERVER", "tests")
    assert span["attributes"]["http.response.status_code"] == 200
    assert span["end_ns"] >= span["start_ns"]


@pytest.mark.parametrize("given", ["", "malformed", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_without_a_readable_trace_one_begins(http: httpx.AsyncClient, tracing: Tracing, spans: Path, given: str) -> None:
    answer = await http.post("/v1/letters/1", json={"text": "x"}, headers={"traceparent": given})
    began = answer.json()["traceparent"]
    assert began.endswith(("-00", "-02")), "and is not recorded where the ratio says so"
    assert "0" * 32 not in began
    assert _read(spans, tracing) == []
