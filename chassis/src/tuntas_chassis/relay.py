"""The relay: publishes the outbox in order per key. Each shard has one relay at a time, by an advisory lock.

Locks, reads and deletes share one connection: a relay that lost its lock has lost its connection too, and stops.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic, time, time_ns

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database, is_transient
from tuntas_chassis.ids import time_of
from tuntas_chassis.kafka import unknown_topics
from tuntas_chassis.logs import logger
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.outbox import CHANNEL
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.tracing import Tracing, is_sampled
from tuntas_chassis.waiting import linger_s, passed_on, set_within
from tuntas_chassis.watermarks import MarkBound, PublishRound, ShardMismatch, WatermarkPublisher
from tuntas_contracts.envelope import Envelope

_LOCK_CLASS = 0x6F7574  # "out": the first half of the advisory lock, the shard is the second
_TAKE_SHARDS_EVERY_S = 2.0
_RETRY_BLOCKED_TOPIC_S = 3.0
_AGENCY = "agency-"  # in the name of every topic that belongs to one agency
_log = logger(__name__)

_READ = """SELECT id, topic, key, message_id, type, time, traceparent, written_at, value FROM outbox
 WHERE shard = ANY($1::smallint[]) AND topic <> ALL($2::text[]) ORDER BY id LIMIT $3"""
_READ_ALL = """SELECT id, topic, key, message_id, type, time, traceparent, written_at, value FROM outbox ORDER BY id LIMIT $1"""


class Relay:
    """Publishes one service's outbox."""

    def __init__(
        self,
        database: Database,
        producer: Callable[[], AIOKafkaProducer],
        settings: ServiceSettings,
        source: str,
        clock: Clock,
        metrics: MetricSet,
        tracing: Tracing,
        *,
        mark_topic: str | None = None,
        mark_bound: MarkBound | None = None,
    ) -> None:
        """`mark_topic` is marked per partition; `mark_bound` gives a time before which something may still be unread."""
        self._database = database
        self._make_producer = producer
        self._settings = settings
        self._source = source
        self._metrics = metrics
        self._tracing = tracing
        self._watermarks = WatermarkPublisher(mark_topic, mark_bound, settings, source, clock)
        self._wake = asyncio.Event()
        self._owned: set[int] = set()
        self._blocked: dict[str, float] = {}
        self._taken_at = -float("inf")
        self.progress_at = monotonic()

    @property
    def owns_all(self) -> bool:
        """Whether every shard is relayed here, so that nobody else needs to be told of a write."""
        return len(self._owned) == self._settings.outbox_shards

    def wake(self) -> None:
        """Something was written."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping`; comes back after every fault with a new connection."""
        producer = self._make_producer()
        if not await _started(producer, stopping):
            await producer.stop()
            return
        try:
            with passed_on(stopping, self._wake):
                await self._keep_relaying(producer, stopping)
        finally:
            self._owned.clear()
            await producer.stop()

    async def _keep_relaying(self, producer: AIOKafkaProducer, stopping: asyncio.Event) -> None:
        while True:
            try:
                await self._relay(producer, stopping)
                return
            except ShardMismatch:
                raise
            except Exception as error:
                _log.warning("relay_interrupted", error=type(error).__name__, detail=str(error)[:200], transient=is_transient(error))
                self._owned.clear()
                if stopping.is_set():
                    return
                await set_within(stopping, 1.0)  # told to stop meanwhile, it still tries once to send what is left

    async def _relay(self, producer: AIOKafkaProducer, stopping: asyncio.Event) -> None:
        connection = await self._database.raw()
        try:
            await connection.add_listener(CHANNEL, lambda *_args: self.wake())
            self._taken_at = -float("inf")
            while True:
                self.progress_at = monotonic()
                self._wake.clear()
                await self._take_shards(connection)
                sent = await self._publish(connection, producer)
                if sent == 0:
                    if stopping.is_set():
                        return
                    await set_within(self._wake, self._settings.outbox_poll_s)
                elif sent < self._settings.outbox_batch and self._settings.outbox_linger_ms:
                    await asyncio.sleep(linger_s(sent, self._settings.outbox_linger_ms))
        finally:
            self._owned.clear()
            self._metrics.set("tuntas_outbox_shards_owned", 0)
            await connection.close(timeout=5)

    async def _take_shards(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        if self.owns_all or monotonic() - self._taken_at < _TAKE_SHARDS_EVERY_S:
            return
        self._taken_at = monotonic()
        wanted = [s for s in range(self._settings.outbox_shards) if s not in self._owned]
        rows = await connection.fetch("SELECT s, pg_try_advisory_lock($1, s) AS taken FROM unnest($2::int[]) AS s", _LOCK_CLASS, wanted)
        self._owned |= {row["s"] for row in rows if row["taken"]}
        self._metrics.set("tuntas_outbox_shards_owned", len(self._owned))

    async def _publish(self, connection: "asyncpg.Connection[asyncpg.Record]", producer: AIOKafkaProducer) -> int:
        if not self._owned:
            return 0
        at = await self._watermarks.candidate(connection)
        rows = await self._read(connection)
        if rows:
            await self._send(connection, producer, rows)
        if at is not None:
            set_aside = dict.fromkeys(self._blocked, frozenset(self._owned))
            await self._watermarks.publish(producer, at, PublishRound(self._owned, len(rows) < self._settings.outbox_batch, set_aside))
        return len(rows)

    async def _read(self, connection: "asyncpg.Connection[asyncpg.Record]") -> Sequence[asyncpg.Record]:
        now = monotonic()
        self._blocked = {topic: until for topic, until in self._blocked.items() if until > now}
        self._metrics.set("tuntas_outbox_blocked_topics", len(self._blocked))
        if self.owns_all and not self._blocked:
            rows = await connection.fetch(_READ_ALL, self._settings.outbox_batch)
        else:
            rows = await connection.fetch(_READ, list(self._owned), list(self._blocked), self._settings.outbox_batch)
        return list(rows)

    async def _send(
        self, connection: "asyncpg.Connection[asyncpg.Record]", producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> None:
        for topic in await unknown_topics(producer, {row["topic"] for row in rows}):
            self._block(topic, "the broker does not know it")
        futures = []
        for row in rows:
            if row["topic"] in self._blocked:
                continue
            envelope = Envelope(row["message_id"], self._source, row["type"], row["key"], row["time"], self._traced(row))
            future = await producer.send(row["topic"], row["value"], row["key"].encode(), headers=envelope.headers())
            futures.append((row, future))
        results = await asyncio.gather(*(future for _, future in futures), return_exceptions=True)
        sent: list[int] = []
        failed: set[tuple[str, str]] = set()
        for (row, _), result in zip(futures, results, strict=True):
            if isinstance(result, BaseException):
                failed.add((row["topic"], row["key"]))
                self._block(row["topic"], f"{type(result).__name__}: {result}")
            elif (row["topic"], row["key"]) not in failed:
                sent.append(row["id"])
                if _AGENCY in row["topic"]:
                    self._metrics.observe("tuntas_agency_delivery_seconds", max(time() - time_of(row["message_id"]), 0.0), row["type"])
        await connection.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", sent)
        for topic, count in Counter(row["topic"] for row, _ in futures).items():
            self._metrics.inc("tuntas_outbox_published_total", topic if _AGENCY not in topic else _family(topic), by=count)

    def _traced(self, row: asyncpg.Record) -> str:
        """The traceparent to publish with; in a sampled trace the wait in the outbox is a span, below which all that follows lies."""
        parent: str = row["traceparent"]
        if not is_sampled(parent):
            return parent
        waited_since = int(row["written_at"].timestamp() * 1e9)
        attributes = {"messaging.system": "kafka", "messaging.destination.name": row["topic"], "tuntas.case_id": row["key"]}
        return self._tracing.child(f"publish {row['type']}", SpanKind.PRODUCER, parent, waited_since, time_ns(), **attributes)

    def _block(self, topic: str, why: str) -> None:
        if topic not in self._blocked:
            _log.error("relay_topic_blocked", topic=topic, why=why, retry_in_s=_RETRY_BLOCKED_TOPIC_S)
        self._blocked[topic] = monotonic() + _RETRY_BLOCKED_TOPIC_S


def _family(topic: str) -> str:
    parts = topic.split(".")
    return ".".join([*parts[:2], "*", parts[-1]])


async def _started(producer: AIOKafkaProducer, stopping: asyncio.Event) -> bool:
    """Whether it could be started before `stopping`."""
    while True:
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            if stopping.is_set():
                return False
            _log.warning("relay_waits_for_broker", error=type(error).__name__)
            await set_within(stopping, 2.0)
        else:
            return True
