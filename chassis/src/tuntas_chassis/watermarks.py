"""Watermarks: the relay tells readers how far its outbox is sent, so that deadlines are judged only behind what was read."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from aiokafka import AIOKafkaProducer

from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import new_id
from tuntas_chassis.kafka import unknown_topics
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.cases import RelayMarked
from tuntas_contracts.envelope import Envelope

_OPEN_SINCE = """SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 FROM pg_stat_activity
 WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""

MarkBound = Callable[[], Awaitable[datetime | None]]


class ShardMismatch(RuntimeError):
    """The outbox has another number of shards than the marked topic has partitions."""


@dataclass(frozen=True, slots=True)
class PublishRound:
    """What one look of the relay at its outbox left behind, once all that it could send was acknowledged.

    `shards` are those that this relay owns. `complete` says that the look showed every row that was committed before it;
    `set_aside` names, by topic, the shards whose rows are kept back because the topic, or a partition of it, refuses them.
    """

    shards: Collection[int]
    complete: bool
    set_aside: Mapping[str, Collection[int]]


class WatermarkPublisher:
    """Publishes the watermarks of one service's relay on one topic, one on each partition that it owns as a shard."""

    def __init__(self, topic: str | None, bound: MarkBound | None, settings: ServiceSettings, source: str, clock: Clock) -> None:
        """Without a `topic` nothing is published. `bound` gives a time before which something may still be unread."""
        self._topic = topic
        self._bound = bound
        self._settings = settings
        self._source = source
        self._clock = clock
        self._marked_at = datetime.min.replace(tzinfo=UTC)

    async def candidate(self, connection: "asyncpg.Connection[asyncpg.Record]") -> datetime | None:
        """The time before which everything is committed and so in what the next read shows, or None if no mark is due.

        Call it on the relay's connection before the read.
        """
        now = self._clock.now()
        if self._topic is None or now - self._marked_at < timedelta(seconds=self._settings.mark_interval_s):
            return None
        open_for_s = await connection.fetchval(_OPEN_SINCE)
        mark = now - timedelta(seconds=max(open_for_s or 0.0, 0.0))
        if self._bound is not None:
            bound = await self._bound()
            if bound is None:
                return None
            mark = min(mark, bound)
        if mark <= self._marked_at:
            return None  # held back by the same work as before: nothing new to tell
        return mark - timedelta(seconds=self._settings.mark_tolerance_s)

    async def publish(self, producer: AIOKafkaProducer, at: datetime, done: PublishRound) -> None:
        """Publish `at`, a candidate taken before the look that `done` tells of, where nothing older is unsent.

        Raises ShardMismatch, and what the producer raises.
        """
        topic = self._topic
        if topic is None or not done.complete or done.set_aside or await unknown_topics(producer, {topic}):
            return
        partitions = await producer.partitions_for(topic)
        if len(partitions) != self._settings.outbox_shards:
            raise ShardMismatch(
                f"TUNTAS_OUTBOX_SHARDS is {self._settings.outbox_shards} but {topic} has {len(partitions)} partitions: "
                "set the one to the other, with the service stopped and its outbox empty"
            )
        value = RelayMarked(source=self._source, at=at).model_dump_json().encode()
        futures = []
        for partition in sorted(done.shards):
            # an id of its own: under a shared one the readers' inbox would drop the marks of all partitions but the first
            envelope = Envelope(new_id(), self._source, RelayMarked.__name__, "", at)
            futures.append(await producer.send(topic, value, headers=envelope.headers(), partition=partition))
        await asyncio.gather(*futures)
        self._marked_at = at + timedelta(seconds=self._settings.mark_tolerance_s)
