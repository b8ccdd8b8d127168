"""Slow and hostile clients: each is closed in its time with an honest answer, and normal requests are served beside hundreds of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.support.waiting import until
from tests.unit.chassis.raw_http import RawConnection
from tuntas_chassis.http.guard import CLOSED_BECAUSE, GuardedConfig, HttpLimits
from tuntas_chassis.http.server import HttpServer
from tuntas_chassis.waiting import set_within

GET = b"GET / HTTP/1.1\r\nHost: tests\r\n\r\n"
LARGE = 4_000_000


class Served:
    """A server of an application that reads the body whole, and answers how long it was."""

    def __init__(self, limits: HttpLimits) -> None:
        self.closed: Counter[str] = Counter()
        self.hold = asyncio.Event()
        self.server = HttpServer(
            GuardedConfig(
                self._app,
                limits,
                self._note,
                host="127.0.0.1",
                port=0,
                log_config=None,
                lifespan="off",
                timeout_keep_alive=60,
                interface="asgi3",
            )
        )

    def _note(self, reason: str) -> None:
        assert reason in CLOSED_BECAUSE
        self.closed[reason] += 1

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            if not message["more_body"]:
                break
        if scope["path"] == "/hold":
            await self.hold.wait()
        body = b"x" * LARGE if scope["path"] == "/large" else str(size).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    @property
    def open(self) -> int:
        """Connections."""
        return len(self.server.server_state.connections)


@asynccontextmanager
async def _served(**limits: Any) -> AsyncIterator[Served]:
    served = Served(HttpLimits(**({"header_s": 1.0, "body_s": 1.0, "answer_s": 1.0} | limits)))
    serving = asyncio.create_task(served.server.serve())

    async def started() -> bool:
        return served.server.started

    await until(started, "the server listens")
    yield served
    served.hold.set()
    served.server.force_exit = True
    served.server.end()
    await serving


def _closed_with(reason: str, served: Served) -> Callable[[], Any]:
    async def condition() -> bool:
        return served.closed[reason] > 0 and served.open == 0

    return condition


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 1_000, "header_timeout"),
        (b"POST / HTTP/1.1\r\nHost: tests\r\nContent-Length: 1000\r\n\r\n" + b"a" * 999, "body_timeout"),
        (b"POST / HTTP/1.1\r\nHost: tests\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 999, "body_timeout"),
    ],
    ids=["header", "body", "chunks"],
)
async def test_a_client_that_sends_a_byte_at_a_time_gets_an_error_and_is_closed(sent: bytes, reason: str) -> None:
    async with _served() as served:
        slow = await RawConnection.open(served.port)
        await slow.send(sent[: sent.find(b"\r\n\r\n") + 4] if reason == "body_timeout" else b"")
        began = sent.find(b"\r\n\r\n") + 4 if reason == "body_timeout" else 0
        await slow.drip(sent[began:])
        answer = await slow.rest()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        assert reason.encode() in answer
        await until(_closed_with(reason, served), "the connection is closed and counted")


async def test_a_client_that_sends_nothing_or_empty_lines_is_closed() -> None:
    async with _served() as served:
        silent, after = await RawConnection.open(served.port), await RawConnection.open(served.port)
        await after.send(GET)
        assert (await after.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await after.drip(b"\r\n" * 500)
        assert await silent.rest() == b"", "there is nothing to answer"
        await until(_closed_with("header_timeout", served), "both are closed")


async def test_headers_without_an_end_are_bounded_in_bytes() -> None:
    async with _served(header_s=30, header_bytes=32_768) as served:
        talker = await RawConnection.open(served.port)
        await talker.send(b"GET / HTTP/1.1\r\n")
        while await talker.send(b"X-Filler: " + b"a" * 4_000 + b"\r\n"):
            await asyncio.sleep(0)
        await until(_closed_with("header_too_large", served), "it is closed")


async def test_a_client_that_does_not_read_the_answer_is_closed() -> None:
    async with _served() as served:
        deaf = await RawConnection.open(served.port, receive_buffer=4_096)
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await deaf.send(GET.replace(b"/ ", b"/large ", 1))
        await until(_closed_with("answer_unread", served), "it is closed")


async def _served_over_a_new_connection(served: Served) -> bool:
    """As a proxy does it, which opens another connection where one was refused or closed before it answered."""
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", timeout=20) as client:
            answer = await client.post("/", content=b"a" * 500)
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        return False
    assert (answer.status_code, answer.text) == (200, "500") or answer.status_code == 503
    return answer.status_code == 200


async def test_hundreds_of_slow_connections_leave_room_for_other_clients() -> None:
    """Twice as many as there may be, kept up by an attacker who opens a new one for each that is closed."""
    async with _served(connections=150, header_s=60, body_s=60, answer_s=60) as served:
        ending = asyncio.Event()

        async def attack(number: int) -> None:
            while not ending.is_set():
                one = await RawConnection.open(served.port)
                match number % 3:
                    case 0:
                        await one.send(b"GET / HTTP/1.1\r\nX-Slow: ")
                    case 1:
                        await one.send(b"POST / HTTP/1.1\r\nHost: tests\r\nContent-Length: 100000\r\n\r\nabc")
                    case _:
                        await one.send(GET)
                waiting = asyncio.create_task(one.rest())
                await asyncio.wait({waiting, asyncio.create_task(ending.wait())}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                await one.close()
                await set_within(ending, 1.0)

        attackers = [asyncio.create_task(attack(n)) for n in range(300)]

        async def besieged() -> bool:
            return served.closed["slow_made_room"] > 0

        await until(besieged, "all connections are taken")
        slowest = 0.0
        for _ in range(20):
            asked = monotonic()
            await until(partial(_served_over_a_new_connection, served), "a request is answered", 20)
            slowest = max(slowest, monotonic() - asked)
        assert served.open <= 151
        assert slowest < 10
        ending.set()
        await asyncio.gather(*attackers, return_exceptions=True)


async def test_a_connection_above_the_limit_is_refused() -> None:
    async with _served(connections=5) as served:
        held = [await RawConnection.open(served.port) for _ in range(5)]
        for one in held:
            await one.send(GET.replace(b"/ ", b"/hold ", 1))

        async def all_served() -> bool:
            return served.open == 5 and not served.server.config.waiting  # type: ignore[attr-defined]

        await until(all_served, "every request is with the application")
        answer = await (await RawConnection.open(served.port)).rest()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in answer
        served.hold.set()
        for one in held:
            assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_ordinary_connections_are_kept_and_pipelined_requests_answered_in_order() -> None:
    async with _served() as served:
        one = await RawConnection.open(served.port)
        await one.send(
            b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc" + GET + b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"
        )
        await one.send(b"cde")
        found = [await one.reader.readuntil(b"\r\n\r\n") + await one.reader.readexactly(1) for _ in range(3)]
        assert [answer[-1:] for answer in found] == [b"3", b"0", b"5"]

        async def idle_for_longer_than_a_request_may_take() -> bool:
            return monotonic() - began > 3

        began = monotonic()
        await until(idle_for_longer_than_a_request_may_take, "time passes")
        await one.send(GET)
        assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert not served.closed
