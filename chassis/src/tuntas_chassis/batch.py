"""The batch: many records, one transaction, each key's messages in order, and nobody stopped by somebody else's fault."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import time_ns
from typing import Generic, TypeVar
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database, is_transient
from tuntas_chassis.decoding import Decoded, Undecodable, UnknownType, decode, record_key, record_type
from tuntas_chassis.effects import Effects
from tuntas_chassis.ids import derive_id
from tuntas_chassis.inbox import TopicPartition, advance_positions, known_handled, lock_positions, remember
from tuntas_chassis.logs import logger
from tuntas_chassis.messages import Incoming
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.outbox import Outbox
from tuntas_chassis.parking import Parking, blocked_keys, park
from tuntas_chassis.subscription import Record, Subscription
from tuntas_chassis.tracing import Tracing, is_sampled

S = TypeVar("S")
_log = logger(__name__)


@dataclass(slots=True)
class Work(Effects[S]):
    """What a batch has come to so far, before it is written."""

    known: set[UUID] = field(default_factory=set)
    """Inputs that were handled before."""
    parkings: list[Parking] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)


class BatchWorker(Generic[S]):
    """Processes the records of one subscription."""

    def __init__(
        self,
        subscription: Subscription[S],
        service: str,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        tracing: Tracing,
        metrics: MetricSet,
    ) -> None:
        self.subscription = subscription
        self.consumer = f"{service}.{subscription.name}"
        self._service = service
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._tracing = tracing
        self._metrics = metrics
        self._types = {kind.__name__: kind for kind in subscription.types}
        self._tracked = {kind.__name__ for kind in subscription.track_own}

    async def run(self, records: Sequence[Record], replay_until: Mapping[TopicPartition, int]) -> Counter[TopicPartition]:
        """Process records in one transaction; returns how many each partition parked.

        Raises only transient faults, after which the same records may be given again. A record that spoils the whole
        transaction is found by trying key by key.
        """
        batch = [self._decode(record, replay_until) for record in records]
        try:
            work = await self._transaction(batch)
        except (DBAPIError, ValueError) as error:
            if is_transient(error):
                raise
            _log.warning("batch_taken_apart", consumer=self.consumer, error=type(error).__name__)
            work = await self._key_by_key(batch)
        self._outbox.written()
        for (kind, outcome), count in work.outcomes.items():
            self._metrics.inc("tuntas_consumer_events_total", self.consumer, kind, outcome, by=count)
        return Counter((p.record.topic, p.record.partition) for p in work.parkings)

    def _decode(self, record: Record, replay_until: Mapping[TopicPartition, int]) -> Decoded:
        kind, source = record_type(record)
        own = source == self._service
        catching_up = record.offset < replay_until.get((record.topic, record.partition), 0)
        replayed = own and catching_up
        if kind and (
            (kind not in self._types and self.subscription.refuse is None) or (own and not replayed and kind not in self._tracked)
        ):
            return Decoded(record, kind if kind in self._types else "other")
        if record.value is None and not kind and self.subscription.refuse is None:
            return Decoded(record, "tombstone")
        try:
            incoming = decode(record, self._types, self._clock, catching_up=catching_up, replayed=replayed)
            key_of = self.subscription.key_of
            state_key = key_of(incoming) if key_of else incoming.key
            if not state_key:
                raise Undecodable("the record has no key; the key is what keeps a case's messages in order")
            return Decoded(record, kind, state_key, incoming)
        except Undecodable as error:
            known = kind if kind in self._types else ("other" if isinstance(error, UnknownType) else "undecodable")
            return Decoded(record, known, record_key(record), fault=error)

    async def _transaction(self, batch: Sequence[Decoded]) -> Work[S]:
        async with self._database.begin() as connection:
            partitions = sorted({(d.record.topic, d.record.partition) for d in batch})
            positions = await lock_positions(connection, self.consumer, partitions)
            fresh = [d for d in batch if d.record.offset >= positions.get((d.record.topic, d.record.partition), 0)]
            work = await self._work(connection, fresh)
            work.outcomes["any", "known_offset"] += len(batch) - len(fresh)
            if fresh:
                ends: dict[TopicPartition, int] = {}
                for d in fresh:
                    ends[d.record.topic, d.record.partition] = d.record.offset + 1
                await advance_positions(connection, self.consumer, ends)
        return work

    async def _work(self, connection: AsyncConnection, batch: Sequence[Decoded]) -> Work[S]:
        messages = [d for d in batch if d.incoming is not None]
        new = await remember(connection, self.consumer, [d.incoming.envelope.id for d in messages if d.incoming]) if messages else set()
        interesting = [d for d in batch if d.incoming is not None or d.fault is not None]
        keys = sorted({d.state_key for d in interesting if d.state_key})
        blocked = await blocked_keys(connection, self.consumer, keys) if keys and self.subscription.refuse is None else set()
        handled_ids = [d.handled_id for d in messages if d.handled_id]
        done = await known_handled(connection, handled_ids) if handled_ids else set()
        wanted = sorted({d.state_key for d in messages if d.state_key and d.incoming and d.incoming.envelope.id in new})
        work: Work[S] = Work(await self.subscription.store.load(connection, wanted) if wanted else {}, known=done)
        for d in batch:
            work.outcomes[d.type_name, self._one(d, new, blocked, work)] += 1
        await self._write(connection, work)
        return work

    def _one(self, d: Decoded, new: set[UUID], blocked: set[str], work: Work[S]) -> str:
        """Deal with one record in memory; returns its outcome."""
        if d.incoming is None and d.fault is None:
            return "skipped"
        if d.incoming is not None:
            if d.incoming.envelope.id not in new:
                return "known_id"
            new.discard(d.incoming.envelope.id)
            if d.handled_id in work.known or d.handled_id in work.handled:
                return "known_input"
        if d.state_key in blocked:
            work.parkings.append(Parking(d.record, d.state_key, d.fault))
            return "waiting"
        fault = d.fault
        if d.incoming is not None and d.state_key is not None:
            try:
                self._apply(d.incoming, d.state_key, work)
                return "applied"
            except Exception as error:
                _log.error("message_not_handled", consumer=self.consumer, type=d.type_name, error=type(error).__name__, exc_info=error)
                fault = error
        assert fault is not None
        return self._refuse_or_park(d, fault, blocked, work)

    def _apply(self, incoming: Incoming, state_key: str, work: Work[S]) -> None:
        started = time_ns()
        outcome = self.subscription.apply(work.states.get(state_key), incoming)
        parent = incoming.envelope.traceparent
        if is_sampled(parent):
            parent = self._tracing.child(
                f"process {incoming.envelope.type}", SpanKind.CONSUMER, parent, started, time_ns(),
                **{"messaging.system": "kafka", "messaging.consumer.group.name": self.consumer, "tuntas.case_id": state_key},
            )  # fmt: skip
        cause = incoming.envelope.id
        outgoing = [
            m if m.id else replace(m, id=derive_id(cause, self.subscription.name, n, type(m.body).__name__))
            for n, m in enumerate(outcome.outgoing)
        ]
        work.take(state_key, outcome, parent, outgoing)

    def _refuse_or_park(self, d: Decoded, fault: Exception, blocked: set[str], work: Work[S]) -> str:
        if self.subscription.refuse is not None:
            answer = self.subscription.refuse(d.record, fault)
            if answer is not None:
                work.publish(answer, d.incoming.envelope.traceparent if d.incoming else "")
            return "refused"
        if isinstance(fault, UnknownType):
            return "skipped"
        work.parkings.append(Parking(d.record, d.state_key, fault))
        if d.state_key:
            blocked.add(d.state_key)
        self._keep_trace(d, fault)
        return "parked"

    def _keep_trace(self, d: Decoded, fault: Exception) -> None:
        traceparent, now = d.incoming.envelope.traceparent if d.incoming else "", time_ns()
        told = {"messaging.system": "kafka", "messaging.consumer.group.name": self.consumer, "error.type": type(fault).__name__}
        self._tracing.keep(f"park {d.type_name}", SpanKind.CONSUMER, traceparent, now, now, failed=True, **told)

    async def _write(self, connection: AsyncConnection, work: Work[S]) -> None:
        await work.write(connection, self.subscription.store, self._outbox)
        if work.parkings:
            await park(connection, self.consumer, work.parkings)

    async def apply_parked(self, connection: AsyncConnection, record: Record) -> None:
        """Apply one parked record in the caller's transaction; raises what keeps it parked."""
        d = self._decode(record, {})
        if d.fault is not None:
            raise d.fault
        if d.incoming is None or d.state_key is None:
            return
        await remember(connection, self.consumer, [d.incoming.envelope.id])
        done = await known_handled(connection, [d.handled_id]) if d.handled_id else set()
        if done:
            return
        work: Work[S] = Work(await self.subscription.store.load(connection, [d.state_key]))
        self._apply(d.incoming, d.state_key, work)
        await self._write(connection, work)

    async def _key_by_key(self, batch: Sequence[Decoded]) -> Work[S]:
        """The same batch with a transaction per key, so that only the key at fault is parked; then the offsets."""
        total: Work[S] = Work({})
        groups: dict[str | None, list[Decoded]] = {}
        for d in batch:
            groups.setdefault(d.state_key, []).append(d)
        for key, group in groups.items():
            try:
                async with self._database.begin() as connection:
                    work = await self._work(connection, group)
            except (DBAPIError, ValueError) as error:
                if is_transient(error):
                    raise
                _log.error("key_parked", consumer=self.consumer, error=type(error).__name__, detail=_reason(error))
                work = Work({})
                first, *others = [Decoded(d.record, d.type_name, key, fault=Undecodable(_reason(error))) for d in group]
                work.outcomes[first.type_name, self._refuse_or_park(first, first.fault or error, set(), work)] += 1
                for d in others:
                    if self.subscription.refuse is not None:
                        self._refuse_or_park(d, d.fault or error, set(), work)
                    else:
                        work.parkings.append(Parking(d.record, key, None if key else d.fault))
                    work.outcomes[d.type_name, "waiting"] += 1
                async with self._database.begin() as connection:
                    await self._write(connection, work)
            total.parkings.extend(work.parkings)
            total.outcomes.update(work.outcomes)
        ends = {(d.record.topic, d.record.partition): d.record.offset + 1 for d in batch}
        async with self._database.begin() as connection:
            await advance_positions(connection, self.consumer, ends)
        return total


def _reason(error: Exception) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(origin).__name__}: {str(origin)[:300]}"
