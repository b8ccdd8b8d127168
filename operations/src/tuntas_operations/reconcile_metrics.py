"""What reconciliation reports to Prometheus: in a file for node-exporter's textfile collector, or on a port of its own."""

from pathlib import Path
from time import time

from prometheus_client import start_http_server, write_to_textfile

from tuntas_chassis.telemetry.metrics import Metric, MetricSet
from tuntas_operations.errors import StackError
from tuntas_operations.reconciliation.ledger import KINDS
from tuntas_operations.reconciliation.rounds import Result

RECONCILE_METRICS: tuple[Metric, ...] = (
    Metric("tuntas_reconcile_differences", "gauge", "Cases that did not agree in the last round, by what differs", ("kind",), "cases"),
    Metric("tuntas_reconcile_cases", "gauge", "Cases that the last round found at each step from acceptance to agency", ("step",), "cases"),
    Metric("tuntas_reconcile_unreadable_records", "gauge", "Records on the topics that are none of our messages", (), "records"),
    Metric("tuntas_reconcile_round_seconds", "gauge", "How long the last round took", (), "seconds"),
    Metric("tuntas_reconcile_last_round_timestamp_seconds", "gauge", "When the last round ended", (), "seconds since 1970"),
    Metric(
        "tuntas_reconcile_last_clean_timestamp_seconds",
        "gauge",
        "When the last round ended in which everything agreed; 0 before the first",
        (),
        "seconds since 1970",
    ),
    Metric("tuntas_reconcile_failed_rounds_total", "counter", "Rounds that could not be carried out", (), "rounds"),
)


class ReconcileMetrics:
    """The figures of the rounds so far."""

    def __init__(self) -> None:
        self._metrics = MetricSet(RECONCILE_METRICS)
        self._metrics.set("tuntas_reconcile_last_clean_timestamp_seconds", 0)
        self._metrics.inc("tuntas_reconcile_failed_rounds_total", by=0)

    def note(self, result: Result, took_s: float) -> None:
        """A round was carried out."""
        for kind in KINDS:
            self._metrics.set("tuntas_reconcile_differences", result.by_kind[kind], kind)
        for step in ("accepted", "published", "owned", "forwarded", "delivered"):
            self._metrics.set("tuntas_reconcile_cases", getattr(result, step), step)
        self._metrics.set("tuntas_reconcile_unreadable_records", result.unreadable)
        self._metrics.set("tuntas_reconcile_round_seconds", took_s)
        self._metrics.set("tuntas_reconcile_last_round_timestamp_seconds", time())
        if result.clean:
            self._metrics.set("tuntas_reconcile_last_clean_timestamp_seconds", time())

    def note_failure(self) -> None:
        """A round could not be carried out."""
        self._metrics.inc("tuntas_reconcile_failed_rounds_total")

    def write(self, file: Path) -> None:
        """Put them into a file, whole or not at all. Raises StackError."""
        try:
            write_to_textfile(str(file), self._metrics.registry)
        except OSError as error:
            raise StackError(f"the metrics can't be written to {file}: {error.strerror}") from error

    def serve(self, host: str, port: int) -> int:
        """Answer `GET /metrics` until the process ends; gives the port, which is chosen where it is 0. Raises StackError."""
        try:
            server, _thread = start_http_server(port, host, self._metrics.registry)
        except OSError as error:
            raise StackError(f"nothing can listen on {host}:{port}: {error.strerror}") from error
        return int(server.server_port)
