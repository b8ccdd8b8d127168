"""A lean HTTP/1.1 client over kept-alive connections: a general one would cost as much as the services that it talks to."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from time import monotonic
from urllib.parse import urlsplit

import httptools

_IDLE_S = 2.0  # servers close an idle connection after five seconds, perhaps just as it is written to


class NoAnswer(Exception):
    """A request was not answered; whether it had its effect is not known."""


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self.idle_since = monotonic()
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write"):
            self._transport = transport  # type: ignore[assignment]  # uvloop's are of no type of asyncio's
        self.open = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(NoAnswer(f"the answer is not HTTP: {error}"))
            self.close()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status, body = self._parser.get_status_code(), bytes(self._body)
        if not self._parser.should_keep_alive():
            self.close()
        self._body.clear()
        self._parser = httptools.HttpResponseParser(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._end(NoAnswer(f"the connection was lost{f' ({exc})' if exc else ''}"))

    def _end(self, error: NoAnswer) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    async def exchange(self, raw: bytes) -> tuple[int, bytes]:
        """Send a whole request; gives status and body."""
        if self._transport is None:
            raise NoAnswer("the connection was never made")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        found = await self._waiting
        self.idle_since = monotonic()
        return found

    def close(self) -> None:
        """Close the connection."""
        self.open = False
        if self._transport is not None:
            self._transport.close()


class HttpConnections:
    """Connections to any number of servers, kept and used again; at most `at_once` requests are under way."""

    def __init__(self, *, at_once: int, within_s: float) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._within_s = within_s
        self._idle: defaultdict[str, list[_Connection]] = defaultdict(list)

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        """Send a request; gives status and body.

        Raises:
            NoAnswer: no answer came.
        """
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        raw = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
        async with self._turns:
            try:
                async with asyncio.timeout(self._within_s):
                    connection = await self._connection(parts.netloc)
                    found = await connection.exchange(raw)
            except TimeoutError:
                raise NoAnswer(f"no answer within {self._within_s:.0f} s") from None
            except OSError as error:
                raise NoAnswer(f"{type(error).__name__}: {error}") from error
        if connection.open:
            self._idle[parts.netloc].append(connection)
        return found

    async def _connection(self, host: str) -> _Connection:
        idle = self._idle[host]
        while idle:
            connection = idle.pop()
            if connection.open and monotonic() - connection.idle_since < _IDLE_S:
                return connection
            connection.close()
        name, _, port = host.rpartition(":")
        _, made = await asyncio.get_running_loop().create_connection(_Connection, name, int(port))
        return made

    def close(self) -> None:
        """Close all connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
