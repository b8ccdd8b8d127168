"""Watermarks: each service says how far what it decided is on the cases topic, so that deadlines are judged only behind that.

A watermark is made in this order, and each step relies on the ones before it: the time now; the ends of what is read here; our
positions there, the open transactions and the dead letters; a look of the relay at its whole outbox that began after all these;
the ends of the cases topic's partitions once all that this look showed is acknowledged.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.end_offsets import end_offsets
from tuntas_chassis.messaging.read_progress import DelayingConsumer, ReadProgress, Unread
from tuntas_chassis.messaging.watermark_sender import WatermarkSender
from tuntas_chassis.persistence.database import Database, is_transient
from tuntas_chassis.persistence.transactions import oldest_own_s
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.waiting import set_within
from tuntas_contracts.topology import WATERMARKS, agency_of
from tuntas_contracts.watermarks import MAX_HELD_CASES, MAX_LATE_AGENCIES, HeldCase, LateAgency, PartitionWatermark, WatermarkAdvanced

_LOOK_EVERY_S = 0.25
_ROUND_WITHIN_S = 10.0
_FIRST_RETRY_S, _LAST_RETRY_S = 0.5, 15.0
_UNMEASURED_SKEW_S = 60.0
_NEVER = datetime.min.replace(tzinfo=UTC)
_log = logger(__name__)


class ShardMismatch(RuntimeError):
    """The outbox has another number of shards than the topic that watermarks are about has partitions."""


@dataclass(frozen=True, slots=True)
class WatermarkScope:
    """The topic on whose partitions watermarks say how far a service is, and the topic that they are published on."""

    of: str
    topic: str = WATERMARKS.name


@dataclass(frozen=True, slots=True)
class PublishRound:
    """One look of the relay at its outbox, once all that it could send was acknowledged.

    `began` is the monotonic time just before the look, `shards` those that this relay owns. `complete` says that the look showed
    every row that was committed before it; `set_aside` names, by topic, the shards whose rows are kept back because the topic, or
    a partition of it, refuses them.
    """

    began: float
    shards: Collection[int]
    complete: bool
    set_aside: Mapping[str, Collection[int]]


class WatermarkPublisher:
    """Publishes the watermarks of the shards that one process relays."""

    def __init__(
        self,
        scope: WatermarkScope,
        consumers: Sequence[DelayingConsumer],
        database: Database,
        settings: ServiceSettings,
        source: str,
        clock: Clock,
        metrics: MetricSet,
        wake_relay: Callable[[], None],
    ) -> None:
        """`consumers` are those whose unread messages and dead letters this service has not decided on yet."""
        self._scope = scope
        self._database = database
        self._settings = settings
        self._source = source
        self._clock = clock
        self._metrics = metrics
        self._wake_relay = wake_relay
        self._progress = ReadProgress(consumers, scope.of, database)
        topics = {scope.of, *(topic for consumer in consumers for topic in consumer.topics)}
        self._sender = WatermarkSender(scope.topic, topics, settings, source, metrics)
        self._awaited: tuple[float, asyncio.Future[PublishRound]] | None = None
        self._looked_at = self._published_at = _NEVER
        self._retry_at, self._retry_s = monotonic(), _FIRST_RETRY_S
        self._behind = False

    def round_done(self, done: PublishRound) -> None:
        """The relay ends each look at its outbox with this."""
        if self._awaited is not None and done.complete and done.shards and done.began > self._awaited[0]:
            future = self._awaited[1]
            if not future.done():
                future.set_result(done)

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until `stopping`; a fault only delays. Raises ShardMismatch."""
        try:
            while not stopping.is_set():
                if self._due():
                    await self._try()
                await set_within(stopping, _LOOK_EVERY_S)
        finally:
            await self._sender.close()

    def _due(self) -> bool:
        return self._interval_over(self._looked_at, self._clock.now()) or (self._behind and monotonic() >= self._retry_at)

    def _interval_over(self, since: datetime, now: datetime) -> bool:
        return now - since >= timedelta(seconds=self._settings.watermark_interval_s)

    async def _try(self) -> None:
        self._looked_at = self._clock.now()
        try:
            self._behind = await self._advance(await self._sender.started())
        except ShardMismatch:
            raise
        except Exception as error:
            known = is_transient(error) or isinstance(error, KafkaError)
            _log.warning("watermark_not_published", error=type(error).__name__, detail=str(error)[:200], exc_info=None if known else error)
            self._behind = True
        self._retry_at = monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S) if self._behind else _FIRST_RETRY_S

    async def _advance(self, producer: AIOKafkaProducer) -> bool:
        """Publish how far we are, where that is due. Says whether something holds us behind, so that another look is worth its cost."""
        now = self._clock.now()
        unread = await self._progress.look(producer.client, now)
        async with self._database.connect() as connection:
            decided = now - timedelta(seconds=await oldest_own_s(connection, self._source))
            held = await self._progress.undecided(connection)
        done = await self._next_round()
        if done is None:
            return True
        message = await self._message(producer, decided, unread, held, done)
        behind = bool(unread.partitions or unread.agencies or done.set_aside) or not self._sender.measured
        if message is not None and (self._interval_over(self._published_at, now) or not behind):
            await self._sender.send(message, now)
            self._published_at = now
        self._metrics.set("tuntas_watermark_late_agencies", len(message.late_agencies) if message else 0)
        return behind or message is None

    async def _next_round(self) -> PublishRound | None:
        """The first complete look of the relay that begins from now on; None where there is none within ten seconds."""
        future: asyncio.Future[PublishRound] = asyncio.get_running_loop().create_future()
        self._awaited = (monotonic(), future)
        self._wake_relay()
        try:
            return await asyncio.wait_for(future, _ROUND_WITHIN_S)
        except TimeoutError:
            return None
        finally:
            self._awaited = None

    async def _message(
        self, producer: AIOKafkaProducer, decided: datetime, unread: Unread, held: Mapping[int, Sequence[UUID]] | None, done: PublishRound
    ) -> WatermarkAdvanced | None:
        """What can be said, None where nothing can."""
        late = unread.agencies | {agency: None for topic in done.set_aside if (agency := agency_of(topic)) is not None}
        if held is None or unread.everything is None or len(late) > MAX_LATE_AGENCIES:
            return None
        decided = min(decided, unread.everything)
        margin = timedelta(seconds=self._margin_s())
        ends = await self._ends(producer, set(done.shards) - set(done.set_aside.get(self._scope.of, ())))
        reached = {number: min(at, decided) for number in ends if (at := unread.partitions.get(number, decided)) is not None}
        named = _within_limit({number: held.get(number, ()) for number in reached})
        if not named:
            return None
        return WatermarkAdvanced(
            source=self._source,
            partitions=tuple(
                PartitionWatermark(partition=number, at=reached[number] - margin, end_offset=ends[number]) for number in sorted(named)
            ),
            late_agencies=tuple(LateAgency(agency=code, at=at and at - margin) for code, at in sorted(late.items())),
            held_cases=tuple(HeldCase(partition=number, case_id=case) for number in sorted(named) for case in named[number]),
        )

    def _margin_s(self) -> float:
        """How far clocks may differ: the brokers' as measured, or what is assumed before they were, and at least the tolerance."""
        measured = self._sender.worst_skew_s if self._sender.measured else _UNMEASURED_SKEW_S
        return max(self._settings.watermark_tolerance_s, measured)

    async def _ends(self, producer: AIOKafkaProducer, shards: Collection[int]) -> dict[int, int]:
        """Where the partitions end that belong to `shards`; those that give no answer are left out."""
        found = producer.client.cluster.partitions_for_topic(self._scope.of) or set()
        if len(found) != self._settings.outbox_shards:
            if not found:
                return {}
            raise ShardMismatch(
                f"TUNTAS_OUTBOX_SHARDS is {self._settings.outbox_shards} but {self._scope.of} has {len(found)} partitions: "
                "set the one to the other, with the service stopped and its outbox empty"
            )
        wanted = [TopicPartition(self._scope.of, number) for number in shards]
        ends = await end_offsets(producer.client, producer.client.cluster, wanted)
        if len(ends) < len(wanted):
            producer.client.force_metadata_update()  # another broker may lead them now
        return {p.partition: end for p, end in ends.items()}


def _within_limit(held: Mapping[int, Sequence[UUID]]) -> Mapping[int, Sequence[UUID]]:
    """As many partitions as have no more held cases than one message may name; the others wait as a whole."""
    named: dict[int, Sequence[UUID]] = {}
    left = MAX_HELD_CASES
    for number in sorted(held, key=lambda number: len(held[number])):
        if len(held[number]) <= left:
            named[number] = held[number]
            left -= len(held[number])
    return named
