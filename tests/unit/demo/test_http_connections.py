"""The demo's lean HTTP client against a server of a few lines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tuntas_demo import http_connections
from tuntas_demo.api_client import ApiClient, Faults
from tuntas_demo.http_connections import HttpConnections, NoAnswer


class Server:
    """Answers each request with what `answer(request)` gives; None hangs up."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")), 0)
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                answer = self._answer(request)
                if answer is None:
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[tuple[Server, str]]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield server, f"http://127.0.0.1:{port}"
    finally:
        listening.close()


async def test_one_connection_serves_request_after_request() -> None:
    body = b'{"a": "b"}'
    async with serving(lambda request: b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n" + body) as (server, url):
        client = HttpConnections(at_once=4, within_s=5)
        for _ in range(3):
            assert await client.request("POST", f"{url}/v1/x?y=1", {"X-Access-Code": "k"}, b"hello") == (201, body)
        client.close()
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /v1/x?y=1 HTTP/1.1\r\n")
    assert server.requests[0].endswith(b"\r\n\r\nhello")
    assert b"X-Access-Code: k\r\n" in server.requests[0]


async def test_an_answer_in_pieces_and_in_chunks_is_put_together() -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    async with serving(lambda request: chunked) as (_, url):
        client = HttpConnections(at_once=1, within_s=5)
        assert await client.request("GET", f"{url}/", {}, None) == (200, b"abcdefg")
        client.close()


async def test_a_connection_that_idled_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "_IDLE_S", 0.0)
    async with serving(lambda request: b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as (server, url):
        client = HttpConnections(at_once=1, within_s=5)
        for _ in range(2):
            assert (await client.request("GET", f"{url}/", {}, None))[0] == 200
        client.close()
    assert server.connections == 2


async def test_a_server_that_hangs_up_or_is_not_there_is_an_error_and_not_a_hang() -> None:
    async with serving(lambda request: None) as (_, url):
        client = HttpConnections(at_once=1, within_s=5)
        with pytest.raises(NoAnswer):
            await client.request("GET", f"{url}/", {}, None)
    with pytest.raises(NoAnswer):
        await client.request("GET", f"{url}/", {}, None)


async def test_a_server_that_never_answers_is_given_up() -> None:
    async with serving(lambda request: b"") as (_, url):
        with pytest.raises(NoAnswer, match="no answer"):
            await HttpConnections(at_once=1, within_s=0.1).request("GET", f"{url}/", {}, None)


async def test_an_unexpected_status_is_a_fault_that_names_the_answer() -> None:
    problem = b'{"detail": "not yours"}'
    async with serving(lambda request: b"HTTP/1.1 409 Conflict\r\ncontent-length: %d\r\n\r\n%s" % (len(problem), problem)) as (_, url):
        faults = Faults()
        api_client = ApiClient(faults)
        assert await api_client.ask("answer a case", "POST", f"{url}/v1/cases/1/answer", body={"answer": "ya"}) is None
        assert await api_client.ask("answer a case", "POST", f"{url}/v1/cases/1/answer", body={}, expected=(409,)) == {
            "detail": "not yours"
        }
        api_client.close()
    assert faults.count == 1
    assert "409" in faults.shown[0]
    assert "not yours" in faults.shown[0]
    assert api_client.requests["answer a case"] == 2
