"""The relay: publishes the outbox in order per key. Each shard has one relay at a time, by an advisory lock.

Locks, reads and deletes share one connection: a relay that lost its lock has lost its connection too, and starts again. A topic or a
partition in trouble is set aside and tried by a producer of its own, so that it holds up nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic, time, time_ns

import asyncpg
from aiokafka import AIOKafkaProducer
from opentelemetry.trace import SpanKind

from tuntas_chassis.ids import time_of
from tuntas_chassis.messaging.outbox import CHANNEL
from tuntas_chassis.messaging.outbox_rows import OutboxRows, Sent
from tuntas_chassis.messaging.producers import Producers
from tuntas_chassis.messaging.sending import Outcome, send
from tuntas_chassis.messaging.shards import RENEW_EVERY_S, ShardShare
from tuntas_chassis.messaging.slow_lane import SlowLane
from tuntas_chassis.messaging.watermarks import PublishRound
from tuntas_chassis.persistence.database import Database, is_transient
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.telemetry.tracing import Tracing, is_sampled
from tuntas_chassis.waiting import linger_s, passed_on, set_within
from tuntas_contracts.envelope import Envelope

_AGENCY = "agency-"  # in the name of every topic that belongs to one agency
_LEAVE_AFTER_S = 15.0
_CLOSE_WITHIN_S = 5.0
_log = logger(__name__)


class Relay:
    """Publishes one service's outbox."""

    def __init__(
        self,
        database: Database,
        producer: Callable[[], AIOKafkaProducer],
        settings: ServiceSettings,
        source: str,
        metrics: MetricSet,
        tracing: Tracing,
        *,
        round_done: Callable[[PublishRound], None] | None = None,
    ) -> None:
        """`round_done` is called after each look at the outbox, once all that it could send was acknowledged."""
        self._database = database
        self._settings = settings
        self._source = source
        self._metrics = metrics
        self._tracing = tracing
        self._round_done = round_done
        self._wake = asyncio.Event()
        self._shards = ShardShare(settings.outbox_shards, settings.outbox_lease_s, metrics)
        self._producers = Producers(producer, metrics)
        self._slow = SlowLane(self._producers, self._headers, self.wake, settings.outbox_shards, metrics)
        self._undeleted: list[asyncpg.Record] = []
        self.progress_at = monotonic()

    @property
    def owns_all(self) -> bool:
        """Whether every shard is relayed here, so that nobody else needs to be notified of a write."""
        return self._shards.owns_all

    def wake(self) -> None:
        """Something was written."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping`; comes back after every fault with a new connection."""
        try:
            with passed_on(stopping, self._wake):
                await self._keep_relaying(stopping)
        finally:
            await self._slow.close()
            await self._producers.close()

    async def _keep_relaying(self, stopping: asyncio.Event) -> None:
        while True:
            try:
                await self._relay(stopping)
                return
            except Exception as error:
                _log.warning("relay_interrupted", error=type(error).__name__, detail=str(error)[:200], transient=is_transient(error))
                if stopping.is_set():
                    return
                await set_within(stopping, 1.0)  # stopped meanwhile, it still tries once to send what is left

    async def _relay(self, stopping: asyncio.Event) -> None:
        connection = await self._database.raw()
        rows = OutboxRows(connection, self._settings.outbox_batch)
        try:
            await connection.add_listener(CHANNEL, lambda *_args: self.wake())
            while True:
                self.progress_at = monotonic()
                self._wake.clear()
                producer = await self._producers.main()
                if producer is not None or self._shards.owned:
                    await self._share(connection, rows)
                if producer is None:
                    if stopping.is_set():
                        return
                    if self._shards.members > 1 and self._producers.away_for_s() > _LEAVE_AFTER_S:
                        await self._shards.resign(connection)  # another may reach a broker
                    await set_within(stopping, 1.0)
                    continue
                seen = await self._publish(connection, rows, producer)
                if seen == 0:
                    if stopping.is_set():
                        return
                    await set_within(self._wake, self._pause_s())
                elif seen < self._settings.outbox_batch and self._settings.outbox_linger_ms:
                    await asyncio.sleep(linger_s(seen, self._settings.outbox_linger_ms))
        finally:
            self._shards.reset()
            self._slow.reset()
            await _close(connection)

    async def _share(self, connection: "asyncpg.Connection[asyncpg.Record]", rows: OutboxRows) -> None:
        before = frozenset(self._shards.owned)
        await self._shards.renew(connection)
        if self._shards.owned != before:
            await self._slow.change_shards(rows, self._shards.owned, self._shards.owned - before)

    def _pause_s(self) -> float:
        """How long nothing needs to be looked at unasked: until a lease or a topic in trouble is due."""
        due = self._slow.next_try_s()
        return min(self._settings.outbox_poll_s, RENEW_EVERY_S, RENEW_EVERY_S if due is None else due)

    async def _publish(self, connection: "asyncpg.Connection[asyncpg.Record]", rows: OutboxRows, producer: AIOKafkaProducer) -> int:
        """One look at the outbox; says how many rows it saw."""
        owned = frozenset(self._shards.owned)
        self._take_in(self._slow.finished(owned))
        await self._delete_undeleted(rows)
        if not owned:
            return 0
        began = monotonic()
        if self._slow:
            await rows.set_aside(owned, self._slow.places)
            await self._slow.try_again(rows)
        returned = await self._slow.returned(rows)
        read = await rows.read(owned, all_shards=self.owns_all)
        found = [row for row in read.rows if (row["topic"], row["shard"]) not in self._slow] if self._slow else read.rows
        outcome = Outcome()
        if returned or found:
            self._shards.check()
            outcome = await send(producer, [*returned, *found], self._headers, self._settings.outbox_send_limit_s)
            self._take_in(outcome.sent)
            if outcome.failed:
                self._slow.take_failed(outcome, owned, self._producers.give_up_main() if outcome.out_of_step else None)
            if returned:
                await self._delete_undeleted(rows)
            elif outcome.sent:
                await rows.delete([row["id"] for row in outcome.sent])
                self._undeleted.clear()
        self._slow.show()
        if self._round_done is not None:
            self._round_done(PublishRound(began, owned, read.complete and not outcome.failed, self._slow.shards_by_topic()))
        return len(returned) + len(read.rows)

    def _take_in(self, sent: Sequence[asyncpg.Record]) -> None:
        """These were sent, and are remembered until they are deleted: after a fault they must not be sent again."""
        self._undeleted += sent
        now = time()
        for row in sent:
            if _AGENCY in row["topic"]:
                self._metrics.observe("tuntas_agency_delivery_seconds", max(now - time_of(row["message_id"]), 0.0), row["type"])
        for topic, count in Counter(row["topic"] for row in sent).items():
            self._metrics.inc("tuntas_outbox_published_total", topic if _AGENCY not in topic else _family(topic), by=count)

    async def _delete_undeleted(self, rows: OutboxRows) -> None:
        if self._undeleted:
            await rows.delete_wherever([Sent.of(row) for row in self._undeleted])
            self._undeleted.clear()

    def _headers(self, row: asyncpg.Record) -> list[tuple[str, bytes]]:
        return Envelope(row["message_id"], self._source, row["type"], row["key"], row["time"], self._traced(row)).headers()

    def _traced(self, row: asyncpg.Record) -> str:
        """The traceparent to publish with; in a sampled trace the wait in the outbox is a span, which is the parent of all that follows."""
        parent: str = row["traceparent"]
        if not is_sampled(parent):
            return parent
        waited_since = int(row["written_at"].timestamp() * 1e9)
        attributes = {"messaging.system": "kafka", "messaging.destination.name": row["topic"], "tuntas.case_id": row["key"]}
        return self._tracing.child(f"publish {row['type']}", SpanKind.PRODUCER, parent, waited_since, time_ns(), **attributes)


def _family(topic: str) -> str:
    parts = topic.split(".")
    return ".".join([*parts[:2], "*", parts[-1]])


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Close a connection, also one whose other end is gone."""
    try:
        await connection.close(timeout=_CLOSE_WITHIN_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
