"""The load: prepared requests over kept-alive connections, as fast as they go or at a rate (open loop)."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import time
from urllib.parse import urlsplit

import httptools


@dataclass(slots=True)
class Sent:
    """What became of the requests: by case id when it was due to be sent and when it was answered (epoch seconds)."""

    due: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way; a client library would cost as much as the service."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the service closed the connection"))

    async def request(self, raw: bytes) -> tuple[int, bytes]:
        """Send a request; gives status and body."""
        self._waiting = asyncio.get_running_loop().create_future()
        assert self._transport is not None
        self._transport.write(raw)
        return await self._waiting


def prepare(url: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Whole HTTP requests."""
    host = urlsplit(url).netloc
    head = f"POST /v1/reports HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: ".encode()
    return [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in bodies]


async def send(url: str, bodies: Sequence[bytes], *, rate: float | None, connections: int = 64) -> Sent:
    """Send every body once. With a `rate` (per second) each has its moment whatever the service does; latency counts from it."""
    requests = prepare(url, bodies)
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(connections):
        _, connection = await loop.create_connection(_Connection, address.hostname or "", address.port or 80)
        free.put_nowait(connection)
    sent = Sent()
    begun = time()
    tasks: set[asyncio.Task[None]] = set()

    async def one(connection: _Connection, raw: bytes, due: float) -> None:
        try:
            status, body = await connection.request(raw)
        except OSError as error:
            sent.errors.append(f"{type(error).__name__}: {error}")
            return
        if status == 201:
            case_id = str(json.loads(body)["case_id"])
            sent.due[case_id] = due
            sent.answered[case_id] = time()
        else:
            sent.errors.append(f"{status}: {body[:200]!r}")
        free.put_nowait(connection)

    for number, raw in enumerate(requests):
        due = time() if rate is None else begun + number / rate
        wait = due - time()
        if wait > 0:
            await asyncio.sleep(wait)
        connection = await free.get()
        if rate is None:
            due = time()
        task = asyncio.create_task(one(connection, raw, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return sent
