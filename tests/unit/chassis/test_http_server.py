"""The HTTP server ends when it is told, though it hardly ever wakes, and its Date goes with the time."""

import asyncio
from time import monotonic
from typing import Any

import httpx
import uvicorn

from tests.support.waiting import until
from tuntas_chassis.http_server import HttpServer


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

        async def goes_on() -> bool:
            return bool((await client.get("/")).headers["date"] != first)

        await until(goes_on, "the Date header is renewed", 5)
    told = monotonic()
    server.end()
    await serving
    assert monotonic() - told < 0.9, "it was asleep"
