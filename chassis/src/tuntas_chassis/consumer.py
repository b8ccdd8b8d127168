"""A subscription on Kafka: FastStream brings batches, the database says where to go on, Kafka's offsets only tell of lag."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from math import inf
from operator import attrgetter
from time import monotonic, time
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from tuntas_chassis.batch import BatchWorker
from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database
from tuntas_chassis.inbox import read_positions
from tuntas_chassis.kafka import consumer_options, make_broker
from tuntas_chassis.logs import logger
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.parking import ParkingLimit
from tuntas_chassis.read_up import ReadUp
from tuntas_chassis.resting import Resting
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.subscription import Record
from tuntas_chassis.topic_ends import TopicEnds
from tuntas_chassis.tracing import sampled_trace_id
from tuntas_chassis.waiting import linger_s, set_within

S = TypeVar("S")
_COMMIT_EVERY_S = 1.0
_CUT = "the topic ends before what was read of it: it was made anew or cut off, and what it holds now would pass for known"
_log = logger(__name__)


class BatchConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka's base is untyped
    """Reads one subscription in batches until stopped."""

    def __init__(
        self,
        worker: BatchWorker[Any],
        settings: ServiceSettings,
        database: Database,
        clock: Clock,
        metrics: MetricSet,
        *,
        stands_still_s: float = 90.0,
    ) -> None:
        """After `stands_still_s` without progress, with something to read, it is made anew (see `stands_still`)."""
        self._stands_still_s = stands_still_s
        self.name = worker.subscription.name
        self.subscription = worker.subscription
        self.consumer_name = worker.consumer
        self._worker = worker
        self._settings = settings
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._limit = ParkingLimit(settings.park_limit_per_minute)
        self._stopping = asyncio.Event()
        self._ends: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._last_commit = 0.0
        self._oldest_unread: float | None = None
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._assigned_once = False
        self._elsewhere: dict[TopicPartition, int] = {}
        self._read_up = ReadUp(database, self.subscription.topics if self.subscription.answers_inputs else ())
        self._resting = Resting(self.subscription.fetch_wait_ms, self.subscription.fetch_min_bytes, self.subscription.rest_wait_ms)
        self._topic_ends = TopicEnds(settings, f"{self.consumer_name}.ends")
        self.progress_at = self._level_at = self._looked_at = monotonic()
        metrics.inc("tuntas_consumer_retries_total", self.consumer_name, by=0)
        metrics.set("tuntas_consumer_halted_partitions", 0, self.consumer_name)

    async def start(self) -> None:
        """Join the group; raises KafkaError where the broker is away."""
        broker = make_broker(self._settings, self.consumer_name)
        subscription = self.subscription
        options = consumer_options(self, self._settings.batch_max, subscription.fetch_wait_ms, subscription.fetch_min_bytes)
        where: dict[str, Any] = {"pattern": subscription.pattern} if subscription.pattern else {}
        subscriber = broker.subscriber(
            *subscription.topics,
            group_id=self.consumer_name,
            ack_policy=AckPolicy.MANUAL,
            parser=_as_it_is,
            decoder=_raw_records,
            **where,
            **options,
        )
        subscriber(self._handle)
        self._subscriber = subscriber
        try:
            await broker.start()
        except BaseException:
            await broker.stop()
            raise
        self._broker = broker
        self._resting.take_over(subscriber.consumer)

    async def stop(self) -> None:
        """Finish the batch at hand and leave the group."""
        self._stopping.set()
        if self._broker is not None:
            await self._commit_to_kafka(force=True)
        await self._leave()

    async def abandon(self) -> None:
        """Drop the connection without commit."""
        self._stopping.set()
        await self._leave()

    async def _leave(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.stop()
        await self._topic_ends.close()

    @property
    def _kafka(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer if self._subscriber is not None else None

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget what is no longer ours."""
        for partition in revoked:
            self._positions.pop(partition, None)
        self._resting.break_off()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Go on where the database says, and remember how far the topics reached when this process first saw them."""
        consumer = self._kafka
        if consumer is None:
            raise RuntimeError("partitions were assigned before the consumer was made")
        while not self._stopping.is_set():
            try:
                async with self._database.connect() as connection:
                    known = await read_positions(connection, self.consumer_name)
                unknown = [p for p in assigned | self._all_partitions(consumer) if p not in self._ends]
                if unknown:
                    self._ends.update(await consumer.end_offsets(unknown))
                await self._read_up.assigned(consumer, assigned)
                beyond = [p for p in assigned if known.get((p.topic, p.partition), 0) > self._ends[p]]
                ends = await consumer.end_offsets(beyond) if beyond else {}
                starts = await consumer.beginning_offsets([p for p in assigned if (p.topic, p.partition) not in known])
                break
            except Exception as error:
                _log.warning("assignment_waits", consumer=self.consumer_name, error=type(error).__name__)
                await set_within(self._stopping, 1.0)
        else:
            return
        self._worker.may_hold = self.subscription.answers_inputs
        for partition in assigned:
            position = known.get((partition.topic, partition.partition), starts.get(partition, 0))
            consumer.seek(partition, position)
            self._positions[partition] = position
            if ends.get(partition, position) < position:
                self._halt(partition, _CUT)
        if not self._assigned_once:
            self._elsewhere = {p: end for p, end in self._ends.items() if p not in assigned and end > 0}
        self._assigned_once = True

    def _all_partitions(self, consumer: AIOKafkaConsumer) -> set[TopicPartition]:
        return {TopicPartition(t, n) for t in self.subscription.topics for n in consumer.partitions_for_topic(t) or ()}

    async def look_elsewhere(self) -> None:
        """See how far other replicas have read the partitions that are not ours, until they are past our start."""
        if not self._elsewhere:
            return
        async with self._database.connect() as connection:
            known = await read_positions(connection, self.consumer_name)
        self._elsewhere = {
            p: end for p, end in self._elsewhere.items() if p not in self._positions and known.get((p.topic, p.partition), 0) < end
        }

    async def release_held(self) -> None:
        """Decide on the inputs that were held until their partition was read up, where it is ours and that is done."""
        if self._worker.may_hold and self._kafka is not None:
            await self._read_up.look(self._kafka)
            if read_up := self._read_up.done(self._positions):
                await self._worker.release(read_up)

    @property
    def holds(self) -> bool:
        """Whether inputs may be held."""
        return self._worker.may_hold

    @property
    def caught_up(self) -> bool:
        """Whether everything has been read, here or by another replica, that lay on the topics when this process first saw them."""
        here = all(position >= self._ends.get(p, 0) for p, position in self._positions.items())
        return self._assigned_once and here and not self._elsewhere

    def stands_still(self) -> bool:
        """Whether it has had nothing to show for a long time although there is something to read. To be asked every second or so."""
        now = monotonic()
        if now - self._looked_at < min(self._stands_still_s / 6, 15.0):
            return False
        self._looked_at = now
        if self._broker is None or not self._behind():
            self._level_at = now
        return now - max(self._level_at, self.progress_at) > self._stands_still_s

    def _behind(self) -> bool:
        consumer = self._kafka
        if consumer is None or not self._assigned_once:
            return True
        going = {p: position for p, position in self._here(consumer).items() if (p.topic, p.partition) not in self._limit.halted}
        return any(position < max(self._ends.get(p, 0), consumer.highwater(p) or 0) for p, position in going.items())

    async def restart(self) -> None:
        """Leave the group and join it anew; goes on where the database says."""
        await self._leave()
        self._assigned_once = False
        self._positions.clear()
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

    async def process(self, records: Sequence[Record]) -> None:
        """Process a batch, again and again with backoff while the fault is transient; nothing is skipped."""
        records = self._due(records)
        if not records:
            return
        self._oldest_unread = min(r.timestamp for r in records) / 1000
        if any(r.key for r in records):  # marks have none
            self._resting.note_work()
        replay_until = self._read_up.until()
        delay = 0.1
        started = monotonic()
        while True:
            try:
                await self._halt_where_cut(records)
                parked = await self._worker.run(records := self._due(records), replay_until)
                break
            except Exception as error:
                self._metrics.inc("tuntas_consumer_retries_total", self.consumer_name)
                _log.warning(
                    "batch_retried", consumer=self.consumer_name, records=len(records), error=type(error).__name__, detail=str(error)[:300]
                )
                if self._stopping.is_set():
                    raise
                self.progress_at = monotonic()
                await set_within(self._stopping, delay)
                delay = min(delay * 2, 10.0)
        if not records:
            return
        for (topic, number), (_, last) in _spans(records).items():
            partition = TopicPartition(topic, number)
            if last >= self._positions.get(partition, inf):  # else taken away meanwhile, or back and further
                self._positions[partition] = last + 1
        self._observe(records, monotonic() - started)
        for partition, count in parked.items():
            if self._limit.count(partition, count):
                self._halt(TopicPartition(*partition), "more is parked in a minute than the limit allows")
        self.progress_at = monotonic()
        await self._commit_to_kafka()

    def _observe(self, records: Sequence[Record], seconds: float) -> None:
        self._metrics.observe("tuntas_consumer_batch_size", len(records), self.consumer_name)
        self._metrics.observe("tuntas_consumer_batch_seconds", seconds, self.consumer_name)
        now = time()
        # one observation a batch and partition end, not a record: the oldest and the newest bound the rest
        for record in {records[0].timestamp: records[0], records[-1].timestamp: records[-1]}.values():
            trace_id = sampled_trace_id((dict(record.headers).get("traceparent") or b"").decode("latin-1"))
            age = max(now - record.timestamp / 1000, 0.0)
            self._metrics.observe("tuntas_consumer_event_age_seconds", age, self.consumer_name, trace_id=trace_id)

    def _due(self, records: Sequence[Record]) -> Sequence[Record]:
        """Without those of halted partitions, and of partitions of which the database has not yet said where to go on.

        The client begins to fetch at Kafka's offset as soon as a partition is assigned. Handled now, records that lie beyond
        the database's own position would make it skip what lies between; they come again once it is known.
        """
        going = {(p.topic, p.partition) for p in self._positions} - self._limit.halted
        return records if going.issuperset(_spans(records)) else [r for r in records if (r.topic, r.partition) in going]

    async def _halt_where_cut(self, records: Sequence[Record]) -> None:
        """Where the client begins anew because our position is not in the log, what it brings would be taken for known and skipped."""
        back = [p for p, (first, _) in _spans(records).items() if first < self._positions.get(TopicPartition(*p), 0)]
        if back and self._kafka is not None:  # mostly read again after a rebalance
            for partition, end in (await self._kafka.end_offsets([TopicPartition(*p) for p in back])).items():
                if end < self._positions.get(partition, 0):
                    self._halt(partition, _CUT)

    def _halt(self, partition: TopicPartition, why: str) -> None:
        _log.error("consumer_halted", consumer=self.consumer_name, topic=partition.topic, partition=partition.partition, why=why)
        self._limit.halted.add((partition.topic, partition.partition))
        if self._kafka is not None:
            self._kafka.pause(partition)
        self._metrics.set("tuntas_consumer_halted_partitions", len(self._limit.halted), self.consumer_name)

    async def resume_halted(self) -> int:
        """Go on with every halted partition where it stopped; returns how many."""
        halted = self._limit.resume()
        for topic, number in halted:
            partition = TopicPartition(topic, number)
            if self._kafka is not None and partition in self._kafka.assignment():
                self._kafka.seek(partition, self._positions[partition])
                self._kafka.resume(partition)
        self._metrics.set("tuntas_consumer_halted_partitions", 0, self.consumer_name)
        return len(halted)

    async def _commit_to_kafka(self, *, force: bool = False) -> None:
        """Tell the broker how far we are, for lag and scaling; our own truth is in the database."""
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
        """How many records lie unread on our partitions, as far as the last fetches tell."""
        consumer = self._kafka
        if consumer is None:
            return 0
        return sum(max((consumer.highwater(p) or 0) - position, 0) for p, position in self._here(consumer).items())

    def _here(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Our positions on partitions that are ours at this moment: a rebalance takes them away before it says so."""
        ours = consumer.assignment()
        return {p: position for p, position in self._positions.items() if p in ours}

    def report(self) -> None:
        """Set the lag gauges."""
        lag = self.lag()
        self._metrics.set("tuntas_consumer_lag_messages", lag, self.consumer_name)
        age = max(time() - self._oldest_unread, 0.0) if lag and self._oldest_unread else 0.0
        self._metrics.set("tuntas_consumer_lag_seconds", age, self.consumer_name)

    async def topic_ends(self) -> dict[tuple[str, int], int] | None:
        """The next offset of every partition of our topics that has something unread here or elsewhere; None before the start."""
        consumer = self._kafka
        if consumer is None or not self._assigned_once:
            return None
        return await self._topic_ends.unread(consumer, self._positions)


def _spans(records: Sequence[Record]) -> dict[tuple[str, int], tuple[int, int]]:
    """The first and last offset of each partition's records, which lie together and in order."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for partition, group in groupby(records, attrgetter("topic", "partition")):
        offsets = [r.offset for r in group]
        found[partition] = (found.get(partition, offsets)[0], offsets[-1])
    return found


async def _as_it_is(message: Any) -> KafkaMessage:
    """A parser that touches neither headers nor values: one bad record must not spoil its batch."""
    return KafkaMessage(body=b"", raw_message=message, consumer=None)  # type: ignore[arg-type]  # never asked to commit


async def _raw_records(message: KafkaMessage) -> Sequence[Record]:
    records: Sequence[Record] = message.raw_message
    return records
