"""Sends a copy of each watermark to every broker: none of them is needed, and each one's acknowledgement shows its clock."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from time import time

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.kafka import client_options
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.watermarks import WatermarkAdvanced

_APPEND_TIME = 1
_SEND_WITHIN_S = 10.0
_log = logger(__name__)


class WatermarkSender:
    """A producer of its own: what becomes of a watermark must never disturb the relay's."""

    def __init__(self, topic: str, others: Collection[str], settings: ServiceSettings, source: str, metrics: MetricSet) -> None:
        """`others` are topics that the connection is asked about too."""
        self._topic = topic
        self._others = others
        self._settings = settings
        self._source = source
        self._metrics = metrics
        self._producer: AIOKafkaProducer | None = None
        self._skews_s: dict[int, float] = {}
        self._sent = 0

    @property
    def measured(self) -> bool:
        """Whether some broker's clock is known."""
        return bool(self._skews_s)

    @property
    def worst_skew_s(self) -> float:
        """By how many seconds the broker differs from this process's clock that differs most, whichever way."""
        return max(map(abs, self._skews_s.values()), default=0.0)

    async def started(self) -> AIOKafkaProducer:
        """The producer, connected. Raises KafkaError where no broker answers."""
        if self._producer is None:
            producer = AIOKafkaProducer(
                client_id=f"{self._source}-watermarks",
                acks="all",
                linger_ms=0,
                compression_type="gzip",
                request_timeout_ms=int(_SEND_WITHIN_S * 1000),
                metadata_max_age_ms=60_000,
                **client_options(self._settings),
            )
            try:
                await producer.start()
                await producer.client.set_topics({self._topic, *self._others})
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def send(self, message: WatermarkAdvanced, now: datetime) -> None:
        """Send a copy to each broker. Raises KafkaError where none took it."""
        producer = await self.started()
        partitions = self._one_for_each_broker(producer.client.cluster)
        if not partitions:
            raise UnknownTopicOrPartitionError(f"{self._topic} is not there, or none of its partitions has a leader")
        value = message.model_dump_json(exclude_defaults=True).encode()
        results = await asyncio.gather(
            *(self._send_to(producer, broker, number, value, now) for broker, number in partitions.items()), return_exceptions=True
        )
        faults = [result for result in results if isinstance(result, BaseException)]
        for fault in faults:
            if len(faults) == len(results) or not isinstance(fault, KafkaError | TimeoutError):
                raise fault
            _log.warning("watermark_copy_not_sent", error=type(fault).__name__, detail=str(fault)[:200])
        for gone in self._skews_s.keys() - partitions.keys():
            del self._skews_s[gone]
            self._metrics.set("tuntas_broker_clock_skew_seconds", 0.0, str(gone))

    def _one_for_each_broker(self, cluster: ClusterMetadata) -> dict[int, int]:
        """A partition that each broker leads, another one each time."""
        led: dict[int, list[int]] = defaultdict(list)
        for number in sorted(cluster.partitions_for_topic(self._topic) or ()):
            leader = cluster.leader_for_partition(TopicPartition(self._topic, number))
            if leader is not None and leader >= 0:
                led[leader].append(number)
        self._sent += 1
        return {broker: numbers[self._sent % len(numbers)] for broker, numbers in led.items()}

    async def _send_to(self, producer: AIOKafkaProducer, broker: int, partition: int, value: bytes, now: datetime) -> None:
        envelope = Envelope(new_id(), self._source, WatermarkAdvanced.__name__, "", now)
        sent_at = time()
        async with asyncio.timeout(_SEND_WITHIN_S):
            metadata = await producer.send_and_wait(self._topic, value, headers=envelope.headers(), partition=partition)
        if metadata.timestamp_type == _APPEND_TIME:
            self._skews_s[broker] = skew_s(metadata.timestamp, sent_at, time())
            self._metrics.set("tuntas_broker_clock_skew_seconds", self._skews_s[broker], str(broker))

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


def skew_s(append_time_ms: int, sent_at: float, acknowledged_at: float) -> float:
    """By how many seconds a broker's clock is surely ahead of ours (negative: behind), from when it appended what we sent.

    It appended between both times of ours, so an append time between them proves nothing.
    """
    ahead = append_time_ms / 1000 - acknowledged_at
    behind = (append_time_ms + 1) / 1000 - sent_at
    return max(ahead, 0.0) + min(behind, 0.0)
