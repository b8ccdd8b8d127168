"""How far a consumer is behind, and what its batches cost."""

from collections.abc import Mapping, Sequence
from time import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.telemetry.tracing import sampled_trace_id


class ConsumerGauges:
    """The metrics of one consumer's batches and lag."""

    def __init__(self, consumer_name: str, metrics: MetricSet) -> None:
        self._name = consumer_name
        self._metrics = metrics
        self._oldest_unread: float | None = None
        for counter in ("retries_total", "unreadable_batches_total", "gaps_total"):
            metrics.inc(f"tuntas_consumer_{counter}", consumer_name, by=0)
        metrics.set("tuntas_consumer_refused_partitions", 0, consumer_name)

    def note_taken(self, records: Sequence[Record]) -> None:
        """These are to be handled."""
        self._oldest_unread = min(r.timestamp for r in records) / 1000

    def observe(self, records: Sequence[Record], seconds: float) -> None:
        """These were handled in so many seconds."""
        self._metrics.observe("tuntas_consumer_batch_size", len(records), self._name)
        self._metrics.observe("tuntas_consumer_batch_seconds", seconds, self._name)
        now = time()
        # one observation a batch and partition end, not a record: the oldest and the newest bound the rest
        for record in {records[0].timestamp: records[0], records[-1].timestamp: records[-1]}.values():
            trace_id = sampled_trace_id((dict(record.headers).get("traceparent") or b"").decode("latin-1"))
            age = max(now - record.timestamp / 1000, 0.0)
            self._metrics.observe("tuntas_consumer_event_age_seconds", age, self._name, trace_id=trace_id)

    def report(self, lag: int, refused: int) -> None:
        """Set the gauges: records unread, and partitions that the broker does not return."""
        self._metrics.set("tuntas_consumer_lag_messages", lag, self._name)
        self._metrics.set("tuntas_consumer_refused_partitions", refused, self._name)
        age = max(time() - self._oldest_unread, 0.0) if lag and self._oldest_unread else 0.0
        self._metrics.set("tuntas_consumer_lag_seconds", age, self._name)


def lag_of(client: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> int:
    """How many records follow these positions, as far as the last fetches show."""
    return sum(max((client.highwater(p) or 0) - position, 0) for p, position in positions.items())
