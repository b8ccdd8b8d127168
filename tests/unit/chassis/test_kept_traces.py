"""What failed or was slow is traced though the ratio did not choose it, and latencies name the traces that show them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.trace import SpanKind
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.unit.chassis.builders import A_TRACE, settings
from tuntas_chassis.http.middleware import RequestMiddleware
from tuntas_chassis.http.operations import health_routes
from tuntas_chassis.http.problems import Problem, install_problems
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_chassis.telemetry.tracing import Tracing, current_traceparent, sampled_trace_id

UNSAMPLED = A_TRACE[:-2] + "00"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5"


class Service:
    """A service with one route of each sort; a request may take 50 ms."""

    def __init__(self, spans: Path | None) -> None:
        self.metrics = MetricSet(CHASSIS_METRICS)
        self._file = spans
        self.tracing = Tracing("tests", settings(trace_file=spans, trace_ratio=0))
        self.app = FastAPI()
        install_problems(self.app)
        self.app.add_middleware(RequestMiddleware, metrics=self.metrics, tracing=self.tracing, max_body_bytes=1_000, slow_s=0.05)
        self.app.include_router(health_routes(lambda: None, self._ready, self.metrics.registry, self._report))
        self.app.get("/quick")(self._quick)
        self.app.get("/slow")(self._slow)
        self.app.get("/away/{number}")(self._away)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://tests")

    async def _ready(self) -> dict[str, str]:
        return {}

    async def _report(self) -> None:
        pass

    async def _quick(self) -> str:
        return current_traceparent()

    async def _slow(self) -> str:
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.06, done.set_result, None)
        await done
        return current_traceparent()

    async def _away(self, number: int) -> None:
        raise Problem(503, "Away", f"The database is away, says request {number}.", "away")

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    def spans(self) -> list[dict[str, Any]]:
        """All of them, once they are written: nothing is traced afterwards."""
        self.tracing.close()
        assert self._file is not None
        return [json.loads(line) for line in self._file.read_text("utf-8").splitlines()] if self._file.exists() else []


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    made = Service(tmp_path / "spans.jsonl")
    yield made
    await made.client.aclose()
    made.tracing.close()


async def test_a_failed_request_is_kept_under_its_callers_trace(service: Service) -> None:
    assert (await service.get("/away/7", traceparent=UNSAMPLED)).status_code == 503
    (span,) = service.spans()
    assert (span["trace_id"], span["name"], span["status"]) == ("ab" * 16, "GET /away/{number}", "ERROR")
    assert span["attributes"] == {"http.route": "/away/{number}", "http.response.status_code": 503}


async def test_a_slow_request_is_kept_with_its_true_length(service: Service) -> None:
    inside = (await service.get("/slow")).json()
    (span,) = service.spans()
    assert span["trace_id"] == inside.split("-")[1], "the trace that its logs name"
    assert (span["status"], span["attributes"]["http.response.status_code"]) == ("UNSET", 200)
    assert span["end_ns"] - span["start_ns"] >= 50_000_000


async def test_a_success_is_not_kept_and_a_sampled_trace_only_once(service: Service) -> None:
    await service.get("/quick", traceparent=UNSAMPLED)
    await service.get("/nothing-here")
    await service.get("/away/1", traceparent=A_TRACE)
    assert [(span["name"], span["parent_id"]) for span in service.spans()] == [("GET /away/{number}", "cd" * 8)]


async def test_an_outage_is_traced_and_not_made_worse(service: Service) -> None:
    for number in range(200):
        await service.get(f"/away/{number}")
    assert 20 <= len(service.spans()) < 200


async def test_without_a_destination_nothing_is_kept() -> None:
    nowhere = Service(None)
    await nowhere.get("/away/1")
    assert nowhere.tracing.keep("park Added", SpanKind.CONSUMER, UNSAMPLED, 0, 1, failed=True) is None
    nowhere.tracing.close()


async def test_prometheus_is_given_the_traces_behind_latencies(service: Service) -> None:
    await service.get("/quick", traceparent=A_TRACE)
    await service.get("/quick", traceparent=UNSAMPLED)
    slow = (await service.get("/slow", traceparent="00-" + "ef" * 16 + A_TRACE[35:-2] + "00")).json()
    answer = await service.get("/metrics", accept=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}  # type: ignore[no-untyped-call]
    examples = {
        (sample.labels["route"], sample.exemplar.labels["trace_id"])
        for sample in families["tuntas_http_request_seconds"].samples
        if sample.exemplar
    }
    assert examples == {("/quick", "ab" * 16), ("/slow", slow.split("-")[1])}


async def test_a_scraper_that_asks_for_plain_text_gets_it(service: Service) -> None:
    await service.get("/quick", traceparent=A_TRACE)
    answer = await service.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "trace_id" not in answer.text
    assert "_created" not in answer.text


@pytest.mark.parametrize(("traceparent", "named"), [(A_TRACE, "ab" * 16), (UNSAMPLED, None), ("", None), ("nonsense-1", None)])
def test_only_a_recorded_trace_is_named(traceparent: str, named: str | None) -> None:
    assert sampled_trace_id(traceparent) == named
