"""Partitions that this process has stopped to read, until an operator resumes them or it is restarted."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from tuntas_chassis.messaging import inbox
from tuntas_chassis.messaging.dead_letters import DeadLetterLimit
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet

_METRIC = "tuntas_consumer_halted_partitions"
_log = logger(__name__)


class Halting:
    """One consumer's halted partitions."""

    def __init__(self, consumer_name: str, park_limit_per_minute: int, metrics: MetricSet) -> None:
        self._name = consumer_name
        self._limit = DeadLetterLimit(park_limit_per_minute)
        self._metrics = metrics
        metrics.set(_METRIC, 0, consumer_name)

    @property
    def halted(self) -> set[inbox.TopicPartition]:
        """The partitions that are halted."""
        return self._limit.halted

    def halt(self, client: AIOKafkaConsumer | None, partition: TopicPartition, why: str) -> None:
        """Stop reading a partition."""
        _log.error("consumer_halted", consumer=self._name, topic=partition.topic, partition=partition.partition, why=why)
        self._limit.halted.add((partition.topic, partition.partition))
        if client is not None and partition in client.assignment():
            client.pause(partition)
        self._metrics.set(_METRIC, len(self._limit.halted), self._name)

    def count_parked(self, client: AIOKafkaConsumer | None, parked: Mapping[inbox.TopicPartition, int]) -> None:
        """Halt each partition of which more was parked within a minute than the limit allows."""
        for partition, count in parked.items():
            if self._limit.count(partition, count):
                self.halt(client, TopicPartition(*partition), "more is parked in a minute than the limit allows")

    def resume(self, client: AIOKafkaConsumer | None, positions: Mapping[TopicPartition, int]) -> int:
        """Resume every halted partition where it stopped; returns how many."""
        halted = self._limit.resume()
        for topic, number in halted:
            partition = TopicPartition(topic, number)
            if client is not None and partition in client.assignment() and partition in positions:
                client.seek(partition, positions[partition])
                client.resume(partition)
        self._metrics.set(_METRIC, 0, self._name)
        return len(halted)
