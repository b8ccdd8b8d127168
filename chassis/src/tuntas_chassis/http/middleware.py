"""What surrounds every HTTP request: limits of size and number, metrics, a span."""

from collections.abc import Mapping
from time import perf_counter, time_ns

from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuntas_chassis.http.admission import Admission, Turn
from tuntas_chassis.http.problems import BodyTooLarge, Overloaded
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.telemetry.tracing import Tracing, traceparent_of

_UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})


class RequestMiddleware:
    """Pure ASGI, because it is on the hot path of every report."""

    def __init__(
        self, app: ASGIApp, *, metrics: MetricSet, tracing: Tracing, max_body_bytes: int, slow_s: float = 2.0, max_requests: int = 500
    ) -> None:
        """A request that takes longer than `slow_s`, or fails, leaves a span whether or not its trace is sampled.

        At most `max_requests` are answered at once; health checks and scrapes are not among them.
        """
        self._admission = Admission(max_requests)
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._max_body_bytes = max_body_bytes
        self._slow_s = slow_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        started = perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        parent = headers.get(b"traceparent", b"").decode("latin-1")
        try:
            with self._tracing.span(f"{scope['method']} request", SpanKind.SERVER, parent) as span:
                try:
                    await self._serve(headers, scope, receive, note_status)
                finally:  # an unexpected error propagates to the outermost middleware, which answers it with 500
                    if span.is_recording():
                        span.update_name(f"{scope['method']} {_route(scope)}")
                        span.set_attribute("http.route", _route(scope))
                        span.set_attribute("http.response.status_code", status)
                        if status >= 500:
                            span.set_status(StatusCode.ERROR)
        finally:
            route, seconds = _route(scope), perf_counter() - started
            self._metrics.inc("tuntas_http_requests_total", route, scope["method"], str(status))
            trace_id = self._trace_of(span, f"{scope['method']} {route}", status, seconds)
            self._metrics.observe("tuntas_http_request_seconds", seconds, route, scope["method"], trace_id=trace_id)

    def _trace_of(self, span: Span, name: str, status: int, seconds: float) -> str | None:
        """The trace in which this request is found."""
        context = span.get_span_context()
        if context.trace_flags.sampled:
            return f"{context.trace_id:032x}"
        if status < 500 and seconds <= self._slow_s:
            return None
        ended = time_ns()
        attributes: dict[str, str | int] = {"http.route": name.partition(" ")[2], "http.response.status_code": status}
        return self._tracing.keep(
            name, SpanKind.SERVER, traceparent_of(span), ended - int(seconds * 1e9), ended, failed=status >= 500, **attributes
        )

    async def _serve(self, headers: Mapping[bytes, bytes], scope: Scope, receive: Receive, send: Send) -> None:
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._max_body_bytes:
            await BodyTooLarge(self._max_body_bytes).response()(scope, receive, send)
            return
        turn = self._admission.turn()
        try:
            if length == b"0" and b"transfer-encoding" not in headers:
                turn.begin()
            await self._app(scope, self._limited(receive, turn), send)
        except (BodyTooLarge, Overloaded) as error:
            await error.response()(scope, receive, send)
        finally:
            turn.end()

    def _limited(self, receive: Receive, turn: Turn) -> Receive:
        left = self._max_body_bytes

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                size = len(message.get("body", b""))
                left -= size
                if left < 0:
                    raise BodyTooLarge(self._max_body_bytes)
                turn.received(size)
                if not message.get("more_body", False):
                    turn.begin()
            return message

        return limited


def _route(scope: Scope) -> str:
    """The path's template, so that labels stay bounded."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))
