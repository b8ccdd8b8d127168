"""Prometheus metrics, declared in lists: name, kind, labels, meaning, unit and who looks at it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# when a counter began is a series more for each, and is not used
disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCH_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000)
WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as it is declared. Labels must be bounded: never a case id, never free text."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    audience: str = "sre"
    buckets: tuple[float, ...] = SECONDS


class MetricSet:
    """The metrics of one process, by declared name; an undeclared name is a KeyError."""

    def __init__(self, declared: Iterable[Metric]) -> None:
        """Raises ValueError where a name is declared twice."""
        self.registry = CollectorRegistry()
        self.declared = tuple(declared)
        self._made = {metric.name: self._make(metric) for metric in self.declared}
        self._children: dict[tuple[str, tuple[str, ...]], Counter | Gauge | Histogram] = {}

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.declared)

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        if metric.kind == "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=self.registry)
        if metric.kind == "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
        return Histogram(metric.name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets)

    def _child(self, name: str, labels: tuple[str, ...]) -> Counter | Gauge | Histogram:
        if not labels:
            return self._made[name]
        try:
            return self._children[name, labels]
        except KeyError:
            child = self._children[name, labels] = self._made[name].labels(*labels)
            return child

    def inc(self, name: str, *labels: str, by: float = 1) -> None:
        """Add to a counter or gauge; labels in the order in which they are declared."""
        child = self._child(name, labels)
        if isinstance(child, Histogram):
            raise TypeError(f"{name} is a histogram: use observe")
        child.inc(by)

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        child = self._child(name, labels)
        if not isinstance(child, Gauge):
            raise TypeError(f"{name} is not a gauge")
        child.set(value)

    def observe(self, name: str, value: float, *labels: str, trace_id: str | None = None) -> None:
        """Observe a value in a histogram, with the trace as exemplar where there is one."""
        child = self._child(name, labels)
        if not isinstance(child, Histogram):
            raise TypeError(f"{name} is not a histogram")
        child.observe(value, {"trace_id": trace_id} if trace_id else None)

    def value(self, name: str, *labels: str) -> float | None:
        """The present value of one sample, as a scrape would show it; None where it never was touched."""
        metric = next(m for m in self.declared if m.name == name)
        suffix = {"counter": "_total" if not name.endswith("_total") else "", "gauge": "", "histogram": "_count"}[metric.kind]
        return self.registry.get_sample_value(name + suffix, dict(zip(metric.labels, labels, strict=True)))


CHASSIS_METRICS: tuple[Metric, ...] = (
    Metric("tuntas_http_requests_total", "counter", "HTTP requests answered", ("route", "method", "status"), "requests"),
    Metric("tuntas_http_request_seconds", "histogram", "Time from request to answer", ("route", "method"), "seconds"),
    Metric(
        "tuntas_http_connections_closed_total",
        "counter",
        "Connections that were closed because their peer sent or read too slowly, or because there were too many",
        ("reason",),
        "connections",
    ),
    Metric("tuntas_consumer_events_total", "counter", "Records read, by outcome", ("consumer", "type", "outcome"), "events"),
    Metric("tuntas_consumer_batch_size", "histogram", "Records in one transaction", ("consumer",), "events", buckets=BATCH_SIZES),
    Metric("tuntas_consumer_batch_seconds", "histogram", "Time of one batch from fetch to commit", ("consumer",), "seconds"),
    Metric("tuntas_consumer_lag_messages", "gauge", "Records not yet processed", ("consumer",), "events"),
    Metric("tuntas_consumer_lag_seconds", "gauge", "Age of the oldest record not yet processed", ("consumer",), "seconds"),
    Metric("tuntas_consumer_event_age_seconds", "histogram", "Time from append to commit", ("consumer",), "seconds"),
    Metric("tuntas_consumer_retries_total", "counter", "Batches tried again after a transient fault", ("consumer",), "batches"),
    Metric(
        "tuntas_consumer_halted_partitions",
        "gauge",
        "Partitions paused: too much was parked, their log was cut off, or they hold what can't be read",
        ("consumer",),
        "partitions",
    ),
    Metric(
        "tuntas_consumer_unreadable_batches_total",
        "counter",
        "Record batches that can't be read: their codec, size, checksum or structure",
        ("consumer",),
        "batches",
    ),
    Metric("tuntas_consumer_refused_partitions", "gauge", "Partitions that the broker does not return", ("consumer",), "partitions"),
    Metric("tuntas_consumer_gaps_total", "counter", "Times that a consumer went back behind records it had not handled", ("consumer",)),
    Metric("tuntas_parked_messages", "gauge", "Messages that wait for an operator", ("consumer",), "messages"),
    Metric("tuntas_parked_oldest_seconds", "gauge", "How long the oldest message has waited for an operator", ("consumer",), "seconds"),
    Metric("tuntas_outbox_messages", "gauge", "Messages written and not yet published", (), "messages"),
    Metric("tuntas_outbox_age_seconds", "gauge", "Age of the oldest message not yet published", (), "seconds"),
    Metric("tuntas_outbox_published_total", "counter", "Messages published", ("topic",), "messages"),
    Metric("tuntas_outbox_blocked_topics", "gauge", "Topics of which all or a partition refuses our messages", (), "topics"),
    Metric("tuntas_outbox_set_aside_messages", "gauge", "Messages whose topic or partition refuses them", (), "messages"),
    Metric("tuntas_outbox_shards_owned", "gauge", "Outbox shards this process relays", (), "shards"),
    Metric("tuntas_outbox_relay_members", "gauge", "Processes that share the outbox shards, as this one sees it", (), "processes"),
    Metric("tuntas_outbox_producer_renewals_total", "counter", "Producers given up after a failed send", (), "producers"),
    Metric(
        "tuntas_agency_delivery_seconds",
        "histogram",
        "Time from what caused a message for an agency (a report accepted, a decision) to its receipt by the broker",
        ("type",),
        "seconds",
        buckets=WAITS,
    ),
    Metric("tuntas_rows_set_aside_total", "counter", "Rows of periodic work that this code could not handle", ("kind",), "rows"),
    Metric("tuntas_set_aside_rows", "gauge", "Rows of periodic work that wait for code that can handle them", ("kind",), "rows"),
    Metric("tuntas_background_restarts_total", "counter", "Background loops started again after an error", ("loop",), "restarts"),
    Metric("tuntas_broker_clock_skew_seconds", "gauge", "A broker's clock ahead of this process's clock", ("broker",), "seconds"),
    Metric("tuntas_watermark_late_agencies", "gauge", "Agencies whose topics lag or are in trouble, so that their deadlines wait"),
    Metric(
        "tuntas_foreign_transaction_seconds",
        "gauge",
        "Age of the oldest open transaction of a session that is none of the service's processes, by its application name",
        ("application",),
        "seconds",
    ),
    Metric(
        "tuntas_background_waiting",
        "gauge",
        "1 while a background loop waits for the database or the broker to come back",
        ("loop",),
    ),
    Metric(
        "tuntas_clock_skew_seconds",
        "gauge",
        "Database clock ahead of this process's clock; what may be the question's own time is not counted",
        (),
        "seconds",
    ),
    Metric("tuntas_service_ready", "gauge", "1 while the service can serve, 0 while /readyz says why not"),
    Metric("tuntas_migration_mismatch", "gauge", "1 while the database has a schema that this code does not serve"),
    Metric(
        "tuntas_trusted_certificate_expiry_timestamp_seconds",
        "gauge",
        "When the last of the certificates runs out by which broker (kafka) or database is recognised",
        ("authority",),
        "seconds since 1970",
    ),
)
