"""A guard on every HTTP connection: none is held by sending slowly, sending nothing, or not reading the answer.

uvicorn limits none of it. One look a second over all connections (`check`) costs a request nothing but two timestamps.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Times in seconds. `connections`: open at once; above it the one that has waited longest for its peer makes room."""

    connections: int = 1_000
    header_s: float = 10
    body_s: float = 30
    answer_s: float = 30
    header_bytes: int = 32_768


_TIME_TO_ASK_S = 0.25
"""For this time no connection is closed to make room: in a flood of new connections those that were accepted can send their request.

With 1,000 connections, 4,000 new ones a second find room. With a second each, hostile clients that come back every second could
take each place at the moment at which it becomes free, and nobody else got one for many seconds.
"""


CLOSED_BECAUSE = (
    "too_many_connections",
    "header_too_large",
    "header_timeout",
    "body_timeout",
    "answer_unread",
    "idle_made_room",
    "slow_made_room",
)
"""Why the guard closes a connection."""


class GuardedConfig(uvicorn.Config):
    """uvicorn's configuration with these limits; `closed` is called for each connection that the guard closes, with the reason."""

    def __init__(self, app: Any, limits: HttpLimits, closed: Callable[[str], None], **options: Any) -> None:
        """`options` are uvicorn's. There are no web sockets: a connection that became one would escape the guard."""
        super().__init__(app, http=GuardedProtocol, ws="none", **options)
        self.limits = limits
        self.closed = closed
        self.waiting: dict[GuardedProtocol, float] = {}
        """The connections whose peer is to act next (idle, or sending a request), the longest first, and since when."""


class _Phase(Enum):
    IDLE = auto()  # between two requests; uvicorn's keep-alive time-out runs
    HEADER = auto()
    BODY = auto()
    ANSWER = auto()  # the request is here, it is our turn


_IDLE, _HEADER, _BODY, _ANSWER = _Phase  # Python 3.11 finds a member of an enumeration by a function call


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    config: GuardedConfig

    def connection_made(self, transport: Any) -> None:
        """A caller. Where there are too many, the one that waits longest makes room; where all are busy or new, this one is refused."""
        super().connection_made(transport)
        self._now = self.loop.time
        self._limits = self.config.limits
        self._waiting = self.config.waiting
        self._phase, self._since, self._received = _HEADER, self._now(), 0
        self._unread_since: float | None = None
        if len(self.connections) > self._limits.connections:
            oldest, waits_since = next(iter(self._waiting.items()), (None, self._since))
            if oldest is not None and self._since - waits_since > _TIME_TO_ASK_S:
                oldest.make_room()
            else:
                self._refuse("too_many_connections", 503, "Too many connections are being served; try again.")
                return
        self._waiting[self] = self._since

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self._phase is _IDLE:
            self._phase, self._since, self._received = _HEADER, self._now(), 0
        super().data_received(data)
        if self._phase is _HEADER:
            self._received += len(data)
            if self._received > self._limits.header_bytes:
                self._refuse("header_too_large", 431, f"The line and headers of a request may have {self._limits.header_bytes:,} bytes.")

    def on_headers_complete(self) -> None:
        """The body may follow."""
        self._phase, self._since = _BODY, self._now()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here whole; or, after an answer that did not wait for the body, the rest of it is."""
        super().on_message_complete()
        if self.cycle.response_complete:
            self._wait_for_next()
        else:
            self._phase = _ANSWER
            self._waiting.pop(self, None)

    def on_response_complete(self) -> None:
        """The answer is written."""
        more = bool(self.pipeline)
        super().on_response_complete()
        if self._phase is _ANSWER and not more:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        self._phase, self._since, self._received = _IDLE, self._now(), 0
        self._waiting[self] = self._since

    def make_room(self) -> None:
        """Close this connection for another: its peer has kept us waiting longest."""
        if self._phase is _IDLE:
            self.config.closed("idle_made_room")
            self._waiting.pop(self, None)
            self.transport.close()
        else:
            self._refuse("slow_made_room", 408, "The request took too long to arrive while many others waited; send it again.")

    def check(self, now: float) -> None:
        """Close it where its peer has kept us waiting for too long."""
        if self.transport.get_write_buffer_size() == 0:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > self._limits.answer_s:
            self.config.closed("answer_unread")
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        if self._phase is _HEADER and now - self._since > self._limits.header_s:
            self._refuse("header_timeout", 408, f"The headers of a request must arrive within {self._limits.header_s:g} s.")
        elif self._phase is _BODY and now - self._since > self._limits.body_s:
            self._refuse("body_timeout", 408, f"The body of a request must arrive within {self._limits.body_s:g} s; shorten it.")

    def _refuse(self, reason: str, status: int, detail: str) -> None:
        """Answer in place of the application, where nothing of its answer is on the way, and close."""
        self._waiting.pop(self, None)
        self.config.closed(reason)
        answering = self.cycle is not None and not self.cycle.response_complete and self.cycle.response_started
        asked = self._phase is not _HEADER or self._received > 0 or status == 503
        if asked and not answering and not self.transport.is_closing():
            self.transport.write(_answer(status, reason, detail))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _answer(status: int, code: str, detail: str) -> bytes:
    """Problem details (RFC 9457) without the application."""
    title = HTTPStatus(status).phrase
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}).encode()
    return (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        "retry-after: 5\r\nconnection: close\r\n\r\n"
    ).encode() + body
