"""What happens to messages whose topic or partition is in trouble: set aside, tried again, and back among all others."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic

import asyncpg
from aiokafka import AIOKafkaProducer

from tuntas_chassis.messaging.outbox_rows import OutboxRows
from tuntas_chassis.messaging.producers import Producers
from tuntas_chassis.messaging.sending import Destination, Outcome
from tuntas_chassis.messaging.set_aside import Place, SetAside, shards_of_partition
from tuntas_chassis.messaging.slow_sends import SlowSends
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.envelope import Headers

_TRIED_AT_ONCE = 16
_log = logger(__name__)


class SlowLane:
    """The destinations in trouble of one relay."""

    def __init__(
        self,
        producers: Producers,
        headers: Callable[[asyncpg.Record], Headers],
        wake: Callable[[], None],
        shards: int,
        metrics: MetricSet,
    ) -> None:
        """`wake` is called when something was tried; `shards` is the number of all shards."""
        self._set_aside = SetAside()
        self._sends = SlowSends(producers, headers, wake)
        self._shards = shards
        self._metrics = metrics

    def __contains__(self, place: Place) -> bool:
        return place in self._set_aside

    def __bool__(self) -> bool:
        return bool(self._set_aside)

    @property
    def places(self) -> Sequence[Place]:
        """Every place whose messages are set aside."""
        return self._set_aside.places

    def shards_by_topic(self) -> Mapping[str, frozenset[int]]:
        """What is set aside, by topic."""
        return self._set_aside.shards_by_topic()

    def reset(self) -> None:
        """No shard is ours; sends under way continue."""
        self._set_aside.clear()

    async def change_shards(self, rows: OutboxRows, owned: Collection[int], taken: Collection[int]) -> None:
        """Forget what is no longer ours, and take in what waits on shards that were taken."""
        self._set_aside.keep_only(owned)
        waiting: dict[str, list[int]] = defaultdict(list)
        for topic, shard in await rows.set_aside_places(taken):
            waiting[topic].append(shard)
        for topic, shards in waiting.items():
            self._set_aside.hold(topic, shards, monotonic(), silent=False, failed=False)

    def take_failed(self, outcome: Outcome, owned: Collection[int], producer: AIOKafkaProducer | None) -> None:
        """Set aside what failed; `producer` was given up for it, and what is unanswered in it is waited for a while longer."""
        now = monotonic()
        on_way = {batch.destination for batch in outcome.unanswered.values()}
        waited_for = []
        for destination, why in outcome.failed.items():
            hold = self._set_aside.hold(
                destination.topic, self._shards_of(destination, outcome, owned), now, silent=destination in outcome.silent
            )
            if destination in on_way:
                waited_for.append(hold)
            if hold.attempts == 1:
                _log.error("relay_topic_blocked", topic=destination.topic, partition=destination.partition, why=why[:200])
        if producer is not None:
            self._sends.wait_on(producer, outcome, waited_for)

    def finished(self, owned: Collection[int]) -> list[asyncpg.Record]:
        """Take in what was tried meanwhile; returns what was sent."""
        sent: list[asyncpg.Record] = []
        now = monotonic()
        for slow in self._sends.finished():
            outcome = slow.task.result()
            sent += outcome.sent
            for hold in slow.holds:
                hold.busy, hold.returning = False, True
                mine = [destination for destination in outcome.failed if destination.topic == hold.topic]
                failed = hold.shards & {s for d in mine for s in self._shards_of(d, outcome, owned)}
                if failed:
                    self._set_aside.hold(hold.topic, failed, now, silent=not outcome.silent.isdisjoint(mine))
        return sent

    async def try_again(self, rows: OutboxRows) -> None:
        """Send the oldest message of each destination that is due. What was silent is tried apart: it takes its time."""
        for silent in (False, True):
            due = [] if self._sends.is_trying(silent=silent) else self._set_aside.due(monotonic(), silent=silent, at_most=_TRIED_AT_ONCE)
            if not due:
                continue
            heads = await rows.heads(due)
            for number, hold in enumerate(due):
                hold.returning = number not in heads
            if heads:
                self._sends.try_again(list(heads.values()), [due[number] for number in heads], silent=silent)

    async def returned(self, rows: OutboxRows) -> Sequence[asyncpg.Record]:
        """What waited for destinations that take messages again; once it is all read, they are set aside no more."""
        returning = self._set_aside.returning()
        if not returning:
            return []
        read = await rows.read_set_aside(returning)
        if read.complete:
            for hold in returning:
                self._set_aside.lift(hold, monotonic())
                _log.info("relay_topic_free", topic=hold.topic)
        return read.rows

    def next_try_s(self) -> float | None:
        """How many seconds until something is to be tried; None where nothing is, or an end of what is tried must come first."""
        kinds = [silent for silent in (False, True) if not self._sends.is_trying(silent=silent)]
        waits = [self._set_aside.next_retry_s(monotonic(), silent=silent) for silent in kinds]
        return min((wait for wait in waits if wait is not None), default=None)

    def show(self) -> None:
        """Set the gauge."""
        self._metrics.set("tuntas_outbox_blocked_topics", len(self._set_aside.shards_by_topic()))

    async def close(self) -> None:
        """End what is under way."""
        await self._sends.close()

    def _shards_of(self, destination: Destination, outcome: Outcome, owned: Collection[int]) -> frozenset[int]:
        partitions = outcome.partitions.get(destination.topic)
        if destination.partition < 0 or partitions is None:
            return frozenset(owned)
        return shards_of_partition(destination.partition, partitions, owned, self._shards)
