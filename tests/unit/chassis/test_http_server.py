"""The HTTP server ends when it is asked to, though it hardly ever wakes, and its Date follows the clock."""

import asyncio
from time import monotonic
from typing import Any

import httpx
import pytest
import uvicorn

from tests.support.waiting import until
from tuntas_chassis.http.server import HttpServer, service_config
from tuntas_chassis.settings import ServiceSettings


async def _hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_it_ends_at_once_and_keeps_its_date() -> None:
    server = HttpServer(uvicorn.Config(_hello, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        first = (await client.get("/")).headers["date"]

        async def renewed() -> bool:
            return bool((await client.get("/")).headers["date"] != first)

        await until(renewed, "the Date header is renewed", 5)
    asked = monotonic()
    server.end()
    await serving
    assert monotonic() - asked < 0.9, "it was asleep"


PROXIES_KEEP_S = 60
"""How long ingress-nginx and AWS's balancers keep an idle connection to a pod."""


def test_an_idle_connection_is_kept_longer_than_its_callers_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that closes first may meet requests under way, and refuses them by a reset."""
    for name, value in {
        "KAFKA": "kafka:9092",
        "DATABASE_URL": "postgresql://role@db/intake",
        "OIDC_ISSUER": "https://login.example",
    }.items():
        monkeypatch.setenv(f"TUNTAS_{name}", value)
    assert service_config(_hello, ServiceSettings(), lambda _reason: None).timeout_keep_alive > PROXIES_KEEP_S
