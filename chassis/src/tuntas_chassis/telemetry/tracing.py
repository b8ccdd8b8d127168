"""OpenTelemetry: one trace crosses HTTP, outbox, Kafka and mail; unsampled work costs a string comparison.

Sampling is decided once, where a report enters, by ratio; from there the W3C `traceparent` travels with every message. What fails or
is slow in a trace that was not chosen is kept alone, as one span under that trace's id.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tuntas_chassis.settings import ServiceSettings

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = frozenset("13579bdf")  # how flags end whose lowest bit is set
_KEPT_PER_S = 20


class SpanFile(SpanExporter):
    """Spans as JSON lines in a file, for a machine that runs no collector."""

    def __init__(self, path: Path) -> None:
        """Append to `path`; several processes may."""
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append one line a span."""
        lines = "".join(json.dumps(_as_dict(span)) + "\n" for span in spans)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(lines)
        return SpanExportResult.SUCCESS


def _as_dict(span: ReadableSpan) -> dict[str, object]:
    context = span.get_span_context()
    return {
        "trace_id": f"{context.trace_id:032x}" if context else None,
        "span_id": f"{context.span_id:016x}" if context else None,
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "links": [f"{link.context.trace_id:032x}" for link in span.links],
        "name": span.name,
        "kind": span.kind.name,
        "service": span.resource.attributes.get("service.name"),
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
    }


class Tracing:
    """The tracer of one process."""

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        """Exports to the collector and to the file that the settings name, or to nowhere."""
        resource = Resource.create({"service.name": service, "service.namespace": "tuntas"})
        self._provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)))
        keeping = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
        processors = []
        if settings.otlp_endpoint:
            exporter = OTLPSpanExporter(endpoint=settings.otlp_endpoint.rstrip("/") + "/v1/traces")
            processors.append(BatchSpanProcessor(exporter))
        if settings.trace_file:
            processors.append(BatchSpanProcessor(SpanFile(settings.trace_file), schedule_delay_millis=500))
        for processor in processors:
            self._provider.add_span_processor(processor)
            keeping.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("tuntas")
        self._keeping = keeping.get_tracer("tuntas")
        self._kept_second, self._kept = 0, 0
        self.enabled = bool(settings.otlp_endpoint or settings.trace_file)

    @contextmanager
    def span(self, name: str, kind: SpanKind, traceparent: str = "", **attributes: str | int) -> Iterator[Span]:
        """A span that continues `traceparent`, or begins a trace where that is empty; it is current inside the block."""
        span = self._tracer.start_span(name, _context(traceparent), kind, attributes=attributes)
        token = attach(set_span_in_context(span))
        try:
            yield span
        except Exception as error:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__name__)  # never its message, which may quote a person
            raise
        finally:
            detach(token)
            span.end()

    def child(self, name: str, kind: SpanKind, traceparent: str, start_ns: int, end_ns: int, **attributes: str | int) -> str:
        """Record a finished span below `traceparent`; returns the traceparent of what follows from it.

        Costs nothing where that trace is not sampled.
        """
        if not is_sampled(traceparent):
            return traceparent
        span = self._tracer.start_span(name, _context(traceparent), kind, attributes=attributes, start_time=start_ns)
        span.end(end_ns)
        return traceparent_of(span)

    def keep(
        self, name: str, kind: SpanKind, traceparent: str, start_ns: int, end_ns: int, *, failed: bool, **attributes: str | int
    ) -> str | None:
        """Record what failed or was slow in a trace that is not sampled; returns that trace's id.

        None where nothing is kept: no destination, or 20 were kept in this second, so that an outage is not made worse by reporting it.
        """
        if not self.enabled or self._kept_enough():
            return None
        span = self._keeping.start_span(name, _context(traceparent), kind, attributes=attributes, start_time=start_ns)
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(end_ns)
        return f"{span.get_span_context().trace_id:032x}"

    def _kept_enough(self) -> bool:
        second = int(monotonic())
        if second != self._kept_second:
            self._kept_second, self._kept = second, 0
        self._kept += 1
        return self._kept > _KEPT_PER_S

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _context(traceparent: str) -> Context | None:
    return _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None


def is_sampled(traceparent: str) -> bool:
    """Whether the trace is recorded."""
    return traceparent[-1:] in _SAMPLED and is_traceparent(traceparent)


def sampled_trace_id(traceparent: str) -> str | None:
    """The id of the trace if it is recorded: what a histogram names as the example of an observation."""
    return traceparent[3:35] if is_sampled(traceparent) else None


def is_traceparent(text: str) -> bool:
    """Whether this is a W3C traceparent: anybody may send us anything under that name."""
    return _TRACEPARENT.fullmatch(text) is not None


def traceparent_of(span: Span) -> str:
    """The W3C traceparent that names this span as the parent."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}" if context.is_valid else ""


def current_traceparent() -> str:
    """The traceparent of the current span, or empty."""
    return traceparent_of(trace.get_current_span())
