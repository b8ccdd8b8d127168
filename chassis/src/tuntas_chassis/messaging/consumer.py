"""A subscription on Kafka: FastStream brings batches, the database says where to continue, Kafka's offsets only show the lag."""

import asyncio
from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.batch import BatchWorker
from tuntas_chassis.messaging.catch_up import CatchUp
from tuntas_chassis.messaging.consumer_gauges import ConsumerGauges, lag_of
from tuntas_chassis.messaging.continuity import Continuity, Spans, spans
from tuntas_chassis.messaging.delivery_tables import DeliveryTables
from tuntas_chassis.messaging.draining import Draining
from tuntas_chassis.messaging.fetching import Fetching
from tuntas_chassis.messaging.halting import Halting
from tuntas_chassis.messaging.kafka import make_broker
from tuntas_chassis.messaging.known_positions import KnownPositions, PositionsLost
from tuntas_chassis.messaging.partition_records import UnreadableRecords, before_unreadable
from tuntas_chassis.messaging.passed_offsets import PassedOffsets
from tuntas_chassis.messaging.read_up import ReadUp
from tuntas_chassis.messaging.record_batches import check_codecs
from tuntas_chassis.messaging.subscriber import batch_subscriber
from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.waiting import linger_s, set_within

S = TypeVar("S")
_COMMIT_EVERY_S = 1.0
_CUT = "the topic ends before what was read of it: it was recreated or cut off, and what it holds now would pass for known"
_log = logger(__name__)


class BatchConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka's base is untyped
    """Reads one subscription in batches until stopped."""

    def __init__(
        self,
        worker: BatchWorker[Any],
        settings: ServiceSettings,
        tables: DeliveryTables,
        clock: Clock,
        metrics: MetricSet,
        *,
        stalled_after_s: float = 90.0,
        verify_every_s: float = 30.0,
    ) -> None:
        """After `stalled_after_s` without progress, with something to read, it is restarted (see `is_stalled`)."""
        self._stalled_after_s, self._verify_every_s = stalled_after_s, verify_every_s
        self.name = worker.subscription.name
        self.subscription = worker.subscription
        self.consumer_name = worker.consumer
        self._worker = worker
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._halting = Halting(self.consumer_name, settings.park_limit_per_minute, metrics)
        self._gauges = ConsumerGauges(self.consumer_name, metrics)
        self._stopping = asyncio.Event()
        self._catch_up = CatchUp()
        self._continuity = Continuity()
        self._positions: dict[TopicPartition, int] = {}
        self._known = KnownPositions(tables, self.consumer_name)
        self._lost = False
        self._taken_over: AIOKafkaConsumer | None = None
        self._verified_at = self._last_commit = 0.0
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._assigned_once = False
        self._read_up = ReadUp(tables, self.subscription.topics if self.subscription.answers_inputs else ())
        self._unreadable: list[UnreadableRecords] = []
        self._passed = PassedOffsets()
        self._fetching = Fetching(self.consumer_name, self.subscription.rest_wait_ms, self._unreadable.append, self._passed.note)
        self.progress_at = self._level_at = self._looked_at = monotonic()

    async def start(self) -> None:
        """Join the group; raises KafkaError where the broker is away, RuntimeError where a codec can't be read."""
        check_codecs()
        broker = make_broker(self._settings, self.consumer_name)
        self._subscriber = batch_subscriber(broker, self.subscription, self.consumer_name, self._settings.batch_max, self, self._handle)
        try:
            await broker.start()
        except BaseException:
            await broker.stop()
            raise
        self._broker = broker

    async def stop(self) -> None:
        """Finish the batch at hand and leave the group."""
        self._stopping.set()
        if self._broker is not None:
            await self._commit_to_kafka(force=True)
        await self._leave()

    async def disconnect(self) -> None:
        """Drop the connection without commit, the batch at hand undone."""
        self._stopping.set()
        self._assigned_once = False
        await self._leave()

    async def _leave(self) -> None:
        broker, self._broker = self._broker, None
        self._fetching.detach()
        if broker is not None:
            await broker.stop()

    @property
    def _kafka(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer if self._subscriber is not None else None

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget what is no longer ours. The client calls it before its first assignment too, when nothing is fetched yet."""
        self._take_over()
        for partition in revoked:
            self._positions.pop(partition, None)
            self._continuity.revoked(partition)
            self._passed.revoked(partition)
        self._fetching.break_off()

    def _take_over(self) -> None:
        """Before the client's first fetch."""
        client = self._kafka
        if client is not None and client is not self._taken_over:
            self._taken_over = client
            self._fetching.attach(client)
            Draining(self.consumer_name, client, self._fetching, self._continuity, self._going, self._note_gap)

    def _going(self) -> dict[TopicPartition, int]:
        return {p: position for p, position in self._positions.items() if (p.topic, p.partition) not in self._halting.halted}

    def _note_gap(self) -> None:
        self._metrics.inc("tuntas_consumer_gaps_total", self.consumer_name)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Continue where the database says, and remember how far the topics reached when this process first saw them."""
        consumer = self._kafka
        if consumer is None:
            raise RuntimeError("partitions were assigned before the consumer was made")
        while not self._stopping.is_set():
            try:
                try:
                    known = await self._known.read()
                except PositionsLost as error:
                    self._forget_positions(error)
                    continue
                new = [p for p in assigned | self._all_partitions(consumer) if p not in self._catch_up.ends]
                if new:
                    self._catch_up.first_seen(await consumer.end_offsets(new), await consumer.beginning_offsets(new))
                await self._read_up.assigned(consumer, assigned)
                beyond = [p for p in assigned if known.get((p.topic, p.partition), 0) > self._catch_up.ends[p]]
                ends = await consumer.end_offsets(beyond) if beyond else {}
                starts = await consumer.beginning_offsets(list(assigned))
                break
            except Exception as error:
                _log.warning("assignment_waits", consumer=self.consumer_name, error=type(error).__name__)
                await self._pause(1.0)
        else:
            return
        self._worker.may_hold = self.subscription.answers_inputs
        for partition in assigned:
            position = known.get((partition.topic, partition.partition), starts[partition])
            begin = max(position, starts[partition])
            if begin > position:
                self._passed.note(partition, position, begin)
                _log.warning("expired_unread", consumer=self.consumer_name, partition=str(partition), first=position, behind=begin)
            consumer.seek(partition, begin)
            self._continuity.sought(partition, begin)
            self._positions[partition] = position
            self._catch_up.read_to(partition, position)
            if ends.get(partition, position) < position:
                self._halt(partition, _CUT)
            elif (partition.topic, partition.partition) in self._halting.halted:
                consumer.pause(partition)
        self._catch_up.stored(known)
        self._catch_up.begin()
        self._assigned_once = True

    def _all_partitions(self, consumer: AIOKafkaConsumer) -> set[TopicPartition]:
        topics = consumer.subscription() or self.subscription.topics
        return {TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t) or ()}

    async def look_round(self) -> None:
        """Every second or so: store what needs no record, see what others have read, decide on what was held until all is read."""
        if self._kafka is None or not self._assigned_once:
            return
        try:
            await self._store_passed()
            if not self._catch_up.caught_up or monotonic() - self._verified_at >= self._verify_every_s:
                self._verified_at = monotonic()
                self._catch_up.stored(await self._known.read())
            if self._worker.may_hold:
                await self._read_up.look(self._kafka)
                if read_up := self._read_up.done(self._positions):
                    await self._worker.release(read_up, self._known.highest())
        except PositionsLost as error:
            self._note_loss(error)

    async def _store_passed(self) -> None:
        """Move positions behind offsets that hold no record, where everything before them is handled."""
        if passed := self._passed.behind(self._going()):
            await self._known.advance({(p.topic, p.partition): position for p, position in passed.items()})
            for partition, position in passed.items():
                self._handled_to(partition, position)

    @property
    def holds(self) -> bool:
        """Whether inputs may be held."""
        return self._worker.may_hold

    @property
    def caught_up(self) -> bool:
        """Whether everything has been read, here or by another replica, that was on the topics when this process first saw them."""
        return self._assigned_once and self._catch_up.caught_up

    def _note_loss(self, loss: PositionsLost) -> None:
        """Nothing is handled until the consumer is restarted."""
        self._forget_positions(loss)
        self._lost, self._assigned_once = True, False
        self._positions.clear()

    def _forget_positions(self, loss: PositionsLost) -> None:
        """The database has lost what this process has seen it know: nothing counts as read but what it knows now."""
        _log.error("positions_lost", consumer=self.consumer_name, why=str(loss))
        self._known.forget()
        self._catch_up.reset()

    def is_stalled(self) -> bool:
        """Whether it is to be restarted: it has made no progress for a long time although there is something to read, its client
        has broken down, or the database has lost positions. To be asked every second or so.
        """
        if self._lost or self._fetching.broken:
            return True
        now = monotonic()
        if now - self._looked_at < min(self._stalled_after_s / 6, 15.0):
            return False
        self._looked_at = now
        if self._broker is None or not self._behind():
            self._level_at = now
        return now - max(self._level_at, self.progress_at) > self._stalled_after_s

    def _behind(self) -> bool:
        consumer = self._kafka
        if consumer is None or not self._assigned_once:
            return True
        ours = consumer.assignment() - self._fetching.refused.keys()
        going = {p: position for p, position in self._going().items() if p in ours}
        return any(position < max(self._catch_up.ends.get(p, 0), consumer.highwater(p) or 0) for p, position in going.items())

    async def restart(self) -> None:
        """Leave the group and join it again, also after `disconnect`; continues where the database says."""
        await self._leave()
        self._stopping.clear()
        self._assigned_once = self._lost = False
        self._positions.clear()
        self._passed.clear()
        self._level_at = monotonic()
        await self.start()

    async def _handle(self, records: Sequence[Record]) -> None:
        try:
            await self.process(records)
        except Exception as error:
            if not self._stopping.is_set():  # FastStream, which calls this, would swallow it
                _log.error("batch_failed", consumer=self.consumer_name, error=type(error).__name__, exc_info=error)
            raise
        if not self._stopping.is_set():
            await asyncio.sleep(linger_s(len(records), self._settings.batch_linger_ms))

    async def _pause(self, seconds: float) -> None:
        await set_within(self._stopping, seconds)

    async def process(self, records: Sequence[Record]) -> None:
        """Process a batch, again and again with backoff while the fault is transient; nothing is skipped."""
        if not self._unreadable:
            await self._process(records)
            return
        unreadable, self._unreadable[:] = list(self._unreadable), ()
        try:
            await self._process(self._without_unreadable(records, unreadable))
        finally:
            if self.subscription.refuse is None and not self._lost:
                for one in unreadable:
                    self._halt(TopicPartition(one.topic, one.partition), one.described)

    async def _process(self, records: Sequence[Record]) -> None:
        records, reach = self._due(records, spans(records))
        if not records:
            return
        self._gauges.note_taken(records)
        if any(r.key for r in records):  # watermarks have none
            self._fetching.note_work()
        replay_until = self._read_up.until()
        delay = 0.1
        started = monotonic()
        while True:
            try:
                await self._halt_where_cut(reach)
                records, reach = self._due(records, reach)
                parked = await self._worker.run(records, replay_until, self._known.highest())
                break
            except PositionsLost as error:
                self._note_loss(error)
                return
            except Exception as error:
                self._metrics.inc("tuntas_consumer_retries_total", self.consumer_name)
                _log.warning(
                    "batch_retried", consumer=self.consumer_name, records=len(records), error=type(error).__name__, detail=str(error)[:300]
                )
                if self._stopping.is_set():
                    raise
                self.progress_at = monotonic()
                await self._pause(delay)
                delay = min(delay * 2, 10.0)
        if not records:
            return
        for (topic, number), (_, last) in reach.items():
            self._handled_to(TopicPartition(topic, number), last + 1)
        self._gauges.observe(records, monotonic() - started)
        self._halting.count_parked(self._kafka, parked)
        self.progress_at = monotonic()
        await self._commit_to_kafka()

    def _handled_to(self, partition: TopicPartition, position: int) -> None:
        if position > self._positions.get(partition, inf):  # else taken away meanwhile, or back and further
            self._positions[partition] = position
            self._known.wrote((partition.topic, partition.partition), position)
            self._catch_up.read_to(partition, position)

    def _due(self, records: Sequence[Record], reach: Spans) -> tuple[Sequence[Record], Spans]:
        """Without those of halted partitions, and of partitions of which the database has not yet said where to continue.

        The client begins to fetch at Kafka's offset as soon as a partition is assigned. Handled now, records that are beyond
        the database's own position would make it skip what is between; they come again once it is known.
        """
        going = {p: span for p, span in reach.items() if TopicPartition(*p) in self._positions and p not in self._halting.halted}
        return (records, reach) if len(going) == len(reach) else ([r for r in records if (r.topic, r.partition) in going], going)

    def _without_unreadable(self, records: Sequence[Record], unreadable: Sequence[UnreadableRecords]) -> Sequence[Record]:
        """Report what can't be read. Where nobody is answered, it and what follows it on its partition are left out."""
        for one in unreadable:
            self._metrics.inc("tuntas_consumer_unreadable_batches_total", self.consumer_name)
            _log.error(
                "records_unreadable", consumer=self.consumer_name, topic=one.topic, partition=one.partition,
                first=one.first_offset, last=one.offset, why=one.reason,
            )  # fmt: skip
        return records if self.subscription.refuse is not None else before_unreadable(records, unreadable)

    async def _halt_where_cut(self, reach: Spans) -> None:
        """Where the client starts again because our position is not in the log, what it brings would be taken for known and skipped."""
        back = [p for p, (first, _) in reach.items() if first < self._positions.get(TopicPartition(*p), 0)]
        if back and self._kafka is not None:  # mostly read again after a rebalance
            for partition, end in (await self._kafka.end_offsets([TopicPartition(*p) for p in back])).items():
                if end < self._positions.get(partition, 0):
                    self._halt(partition, _CUT)

    def _halt(self, partition: TopicPartition, why: str) -> None:
        self._halting.halt(self._kafka, partition, why)

    async def resume_halted(self) -> int:
        """Resume every halted partition where it stopped; returns how many."""
        return self._halting.resume(self._kafka, self._positions)

    async def _commit_to_kafka(self, *, force: bool = False) -> None:
        """Commit our positions to the broker, for lag and scaling; what counts is in the database."""
        consumer = self._kafka
        if consumer is None or not self._positions or (not force and monotonic() - self._last_commit < _COMMIT_EVERY_S):
            return
        self._last_commit = monotonic()
        assigned = consumer.assignment()
        offsets = {p: position for p, position in self._positions.items() if p in assigned}
        try:
            if offsets:
                await consumer.commit(offsets)
        except (KafkaError, ValueError) as error:
            _log.info("lag_not_committed", consumer=self.consumer_name, error=type(error).__name__)

    def lag(self) -> int:
        """How many records are unread on our partitions, as far as the last fetches show."""
        consumer = self._kafka
        return 0 if consumer is None else lag_of(consumer, self._here(consumer))

    def _here(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Our positions on partitions that are ours at this moment: a rebalance takes them away before it says so."""
        ours = consumer.assignment()
        return {p: position for p, position in self._positions.items() if p in ours}

    def report(self) -> None:
        """Set the lag gauges."""
        self._gauges.report(self.lag(), len(self._fetching.refused))
