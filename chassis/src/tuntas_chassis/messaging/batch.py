"""The batch: many records, one transaction, each key's messages in order, and no key stopped by another key's fault."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import time_ns
from typing import Generic, TypeVar
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError

from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.dead_letters import DeadLetter, FirstDeadLetter
from tuntas_chassis.messaging.decoding import Decoded, Undecodable, UnknownType, decode, record_key, record_type
from tuntas_chassis.messaging.delivery_tables import DeliveryTables, DeliveryTransaction
from tuntas_chassis.messaging.inbox import TopicPartition
from tuntas_chassis.messaging.known_positions import check
from tuntas_chassis.messaging.masked_message import without_content
from tuntas_chassis.messaging.messages import Incoming
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.partition_records import UnreadableRecords
from tuntas_chassis.messaging.subscription import Record, Subscription
from tuntas_chassis.messaging.unit_of_work import UnitOfWork
from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.telemetry.tracebacks import without_frames
from tuntas_chassis.telemetry.tracing import Tracing, is_sampled
from tuntas_contracts.base import CaseEvent

S = TypeVar("S")
_RELEASED_AT_ONCE = 500
_log = logger(__name__)


@dataclass(slots=True)
class Work(UnitOfWork[S]):
    """What a batch has come to so far, before it is written."""

    known: set[UUID] = field(default_factory=set)
    """Inputs that were handled before."""
    dead_letters: list[DeadLetter] = field(default_factory=list)
    held: list[Decoded] = field(default_factory=list)
    answered: set[UUID] = field(default_factory=set)
    """Inputs that events read while catching up say were answered."""
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)


class BatchWorker(Generic[S]):
    """Processes the records of one subscription."""

    def __init__(
        self,
        subscription: Subscription[S],
        service: str,
        tables: DeliveryTables,
        outbox: Outbox,
        clock: Clock,
        tracing: Tracing,
        metrics: MetricSet,
    ) -> None:
        self.subscription = subscription
        self.consumer = f"{service}.{subscription.name}"
        self._service = service
        self._tables = tables
        self._outbox = outbox
        self._clock = clock
        self._tracing = tracing
        self._metrics = metrics
        self._types = {kind.__name__: kind for kind in subscription.types}
        self._tracked = {kind.__name__ for kind in subscription.track_own}
        self._late = {kind.__name__ for kind in subscription.catching_up_only}
        self.may_hold = subscription.answers_inputs
        """Whether inputs may be held, by this process or by one that had a partition before."""

    async def run(
        self, records: Sequence[Record], replay_until: Mapping[TopicPartition, int], believed: Mapping[TopicPartition, int]
    ) -> Counter[TopicPartition]:
        """Process records in one transaction; returns how many each partition parked.

        `believed` are the positions that the database is known to have had. Raises PositionsLost where one is behind that, and
        else only transient faults, after which the same records may be given again. A record that spoils the whole
        transaction is found by trying key by key.
        """
        batch = [self._decode(record, replay_until) for record in records]
        try:
            work = await self._transaction(batch, believed)
        except (DBAPIError, ValueError) as error:
            if is_transient(error):
                raise
            _log.warning("batch_taken_apart", consumer=self.consumer, error=type(error).__name__)
            work = await self._key_by_key(batch, believed)
        self._outbox.written()
        self._count(work)
        return Counter((p.record.topic, p.record.partition) for p in work.dead_letters)

    def _decode(self, record: Record, replay_until: Mapping[TopicPartition, int]) -> Decoded:
        if type(record) is UnreadableRecords:
            return Decoded(record, "unreadable", fault=Undecodable(record.described))
        kind, source = record_type(record)
        writer_of = self.subscription.writer_of
        own = source == self._service and writer_of is None
        catching_up = record.offset < replay_until.get((record.topic, record.partition), 0)
        replayed = own and catching_up
        if kind and (
            (kind not in self._types and self.subscription.refuse is None)
            or (own and not replayed and kind not in self._tracked)
            or (not catching_up and kind in self._late)
        ):
            return Decoded(record, kind if kind in self._types else "other")
        if record.value is None and not kind and self.subscription.refuse is None:
            return Decoded(record, "tombstone")
        try:
            writer = "" if writer_of is None else writer_of(record.topic)
            incoming = decode(record, self._types, self._clock, catching_up=catching_up, replayed=replayed, writer=writer)
            state_key = self._state_key(incoming)
            if not state_key:
                raise Undecodable("the record has no key; the key is what keeps a case's messages in order")
            return Decoded(record, kind, state_key, incoming, catching_up=catching_up)
        except Undecodable as error:
            known = kind if kind in self._types else ("other" if isinstance(error, UnknownType) else "undecodable")
            return Decoded(record, known, record_key(record), fault=without_frames(error), catching_up=catching_up)

    async def _transaction(self, batch: Sequence[Decoded], believed: Mapping[TopicPartition, int]) -> Work[S]:
        async with self._tables.begin() as transaction:
            fresh, due = await self._fresh(transaction, batch, believed)
            work = await self._work(transaction, due)
            work.outcomes["any", "known_offset"] += len(batch) - len(due)
            if fresh:
                ends: dict[TopicPartition, int] = {}
                for d in fresh:
                    ends[d.record.topic, d.record.partition] = d.record.offset + 1
                await transaction.advance_positions(self.consumer, ends)
            if due and self.subscription.refuse is not None:
                await transaction.write_answered(self.consumer, [d.record for d in due])
        return work

    async def _fresh(
        self, transaction: DeliveryTransaction, batch: Sequence[Decoded], believed: Mapping[TopicPartition, int]
    ) -> tuple[Sequence[Decoded], Sequence[Decoded]]:
        """What follows our positions, which this locks; and of that what was not answered before, where every record is answered."""
        partitions = sorted({(d.record.topic, d.record.partition) for d in batch})
        positions = await transaction.lock_positions(self.consumer, partitions)
        check(partitions, positions, believed)
        fresh = [d for d in batch if d.record.offset >= positions.get((d.record.topic, d.record.partition), 0)]
        if self.subscription.refuse is None or not fresh:
            return fresh, fresh
        answered = await transaction.read_answered(self.consumer, partitions)
        return fresh, [d for d in fresh if not ((last := answered.get((d.record.topic, d.record.partition))) and last.includes(d.record))]

    async def _work(self, transaction: DeliveryTransaction, batch: Sequence[Decoded], *, again: bool = False) -> Work[S]:
        """Decide on a batch and write what it comes to. `again`: inputs that were held, which the inbox knows already."""
        messages = [d for d in batch if d.incoming is not None]
        ids = [d.incoming.id for d in messages if d.incoming]
        remembers = self.subscription.remembered and not again
        new = await transaction.remember(self.consumer, ids) if ids and remembers else set(ids)
        interesting = [d for d in batch if d.incoming is not None or d.fault is not None]
        keys = sorted({d.state_key for d in interesting if d.state_key})
        blocked = await transaction.blocked_keys(self.consumer, keys) if keys and self.subscription.refuse is None else {}
        handled_ids = [d.handled_id for d in messages if d.handled_id]
        done = await transaction.known_handled(handled_ids) if handled_ids else set()
        wanted = sorted({d.state_key for d in messages if d.state_key and d.incoming and d.incoming.id in new})
        work: Work[S] = Work(await transaction.load(self.subscription.store, wanted) if wanted else {}, known=done)
        for d in batch:
            work.outcomes[d.type_name, self._one(d, new, blocked, work)] += 1
        await self._write(transaction, work)
        return work

    def _one(self, d: Decoded, new: set[UUID], blocked: dict[str, FirstDeadLetter], work: Work[S]) -> str:
        """Deal with one record in memory; returns its outcome."""
        if d.incoming is None and d.fault is None:
            return "skipped"
        if d.incoming is not None:
            body = d.incoming.body
            if d.catching_up and isinstance(body, CaseEvent) and body.input_id is not None:
                work.answered.add(body.input_id)
            if d.incoming.id not in new:
                return "known_id"
            new.discard(d.incoming.id)
            if d.handled_id in work.known or d.handled_id in work.handled:
                return "known_input"
        first = blocked.get(d.state_key) if d.state_key else None
        if first is not None and not first.is_behind(d.record):
            work.dead_letters.append(DeadLetter(d.record, d.state_key, d.fault, d.catching_up))
            return "waiting"
        fault = d.fault
        if d.incoming is not None and d.state_key is not None:
            try:
                if self._apply(d.incoming, d.state_key, work):
                    work.held.append(d)
                    return "held"
                return "applied"
            except Exception as error:
                _log.error("message_not_handled", consumer=self.consumer, type=d.type_name, error=type(error).__name__, exc_info=error)
                fault = without_frames(error)
        assert fault is not None
        return self._refuse_or_park(d, fault, blocked, work)

    def _apply(self, incoming: Incoming, state_key: str, work: Work[S]) -> bool:
        """Decide in memory; True where the message is to be held instead."""
        started = time_ns()
        outcome = self.subscription.apply(work.states.get(state_key), incoming)
        if outcome.hold:
            return True
        parent = incoming.envelope.traceparent
        if is_sampled(parent):
            parent = self._tracing.child(
                f"process {incoming.envelope.type}", SpanKind.CONSUMER, parent, started, time_ns(),
                **{"messaging.system": "kafka", "messaging.consumer.group.name": self.consumer, "tuntas.case_id": state_key},
            )  # fmt: skip
        cause = incoming.id
        outgoing = [
            m if m.id else m._replace(id=derive_id(cause, self.subscription.name, n, type(m.body).__name__))
            for n, m in enumerate(outcome.outgoing)
        ]
        work.take(state_key, outcome, parent, outgoing)
        return False

    def _refuse_or_park(self, d: Decoded, fault: Exception, blocked: dict[str, FirstDeadLetter], work: Work[S]) -> str:
        if self.subscription.refuse is not None:
            try:
                answer = self.subscription.refuse(d.record, fault)
            except Exception as error:  # what can't even be refused must not stop the other keys
                _log.error(
                    "refusal_failed", consumer=self.consumer, topic=d.record.topic, offset=d.record.offset,
                    error=type(error).__name__, exc_info=error,
                )  # fmt: skip
                return "unanswered"
            if answer is not None:
                work.publish(answer, d.incoming.envelope.traceparent if d.incoming else "")
            return "refused"
        if isinstance(fault, UnknownType):
            return "skipped"
        work.dead_letters.append(DeadLetter(d.record, d.state_key, fault, d.catching_up))
        if d.state_key:
            blocked.setdefault(d.state_key, FirstDeadLetter.of(d.record))
        self._keep_trace(d, fault)
        return "parked"

    def _keep_trace(self, d: Decoded, fault: Exception) -> None:
        traceparent, now = d.incoming.envelope.traceparent if d.incoming else "", time_ns()
        attributes = {"messaging.system": "kafka", "messaging.consumer.group.name": self.consumer, "error.type": type(fault).__name__}
        self._tracing.keep(f"park {d.type_name}", SpanKind.CONSUMER, traceparent, now, now, failed=True, **attributes)

    async def _write(self, transaction: DeliveryTransaction, work: Work[S]) -> None:
        await work.write(transaction, self.subscription.store, self._outbox)
        if work.dead_letters:
            await transaction.add_dead_letters(self.consumer, work.dead_letters)
        if self.subscription.answers_inputs:
            await self._write_held(transaction, work)

    async def _write_held(self, transaction: DeliveryTransaction, work: Work[S]) -> None:
        if work.answered:
            await transaction.forget_answered(self.consumer, work.answered)
        held = [(d.record, d.handled_id) for d in work.held if d.handled_id and d.handled_id not in work.answered]
        if held:
            await transaction.hold(self.consumer, held)
            self.may_hold = True

    async def release(self, partitions: Sequence[TopicPartition], believed: Mapping[TopicPartition, int]) -> None:
        """Give inputs that are held of these partitions to the handler, which have been read up. Raises as `run` does."""
        taken: list[Decoded] = []
        try:
            async with self._tables.begin() as transaction:
                check(partitions, await transaction.lock_positions(self.consumer, sorted(partitions)), believed)
                taken = [self._decode_held(record) for record in await transaction.take_held(self.consumer, partitions, _RELEASED_AT_ONCE)]
                work = await self._work(transaction, taken, again=True)
                more = await transaction.holds_any(self.consumer)
        except (DBAPIError, ValueError) as error:
            if is_transient(error):
                raise
            _log.warning("batch_taken_apart", consumer=self.consumer, error=type(error).__name__)
            work, more = await self._key_by_key(taken, believed, again=True), True
        self.may_hold = more
        if taken:
            self._outbox.written()
            self._count(work)

    async def _still_held(self, transaction: DeliveryTransaction, group: Sequence[Decoded]) -> Sequence[Decoded]:
        there = await transaction.drop_held(self.consumer, [d.record for d in group])
        return [d for d in group if (d.record.topic, d.record.partition, d.record.offset) in there]

    def _decode_held(self, record: Record) -> Decoded:
        kind, _ = record_type(record)
        try:
            incoming = decode(record, self._types, self._clock, catching_up=False, replayed=False, held=True)
        except Undecodable as error:
            return Decoded(record, kind, record_key(record), fault=without_frames(error))
        return Decoded(record, kind, self._state_key(incoming), incoming)

    def _state_key(self, incoming: Incoming) -> str:
        key_of = self.subscription.key_of
        return key_of(incoming) if key_of else incoming.key

    def _count(self, work: Work[S]) -> None:
        for (kind, outcome), count in work.outcomes.items():
            self._metrics.inc("tuntas_consumer_events_total", self.consumer, kind, outcome, by=count)

    async def apply_parked(self, transaction: DeliveryTransaction, record: Record, *, catching_up: bool) -> None:
        """Give one parked record the effect that it would have had at its place, in the caller's transaction.

        `catching_up`: it was parked while the topic was read up. Raises what keeps it parked.
        """
        d = self._decode(record, {(record.topic, record.partition): record.offset + 1} if catching_up else {})
        if d.fault is not None:
            raise d.fault
        if d.incoming is None or d.state_key is None:
            raise Undecodable(
                f"{self.consumer} takes no {record_type(record)[0] or 'message without a type'} from there, so a replay would have no "
                "effect: discard it, or replay it with a release that takes it"
            )
        if self.subscription.remembered:
            await transaction.remember(self.consumer, [d.incoming.id])
        done = await transaction.known_handled([d.handled_id]) if d.handled_id else set()
        work: Work[S] = Work(await transaction.load(self.subscription.store, [d.state_key]), known=done)
        self._one(d, {d.incoming.id}, {}, work)
        if work.dead_letters:
            raise work.dead_letters[0].fault or Undecodable("it can't be handled")
        await self._write(transaction, work)

    async def _key_by_key(self, batch: Sequence[Decoded], believed: Mapping[TopicPartition, int], *, again: bool = False) -> Work[S]:
        """The same batch with a transaction per key, so that only the key at fault is parked; then the offsets."""
        total: Work[S] = Work({})
        if not again:
            async with self._tables.begin() as transaction:
                _, batch = await self._fresh(transaction, batch, believed)
        groups: dict[str | None, list[Decoded]] = {}
        for d in batch:
            groups.setdefault(d.state_key, []).append(d)
        for key, group in groups.items():
            try:
                async with self._tables.begin() as transaction:
                    work = await self._work(transaction, await self._still_held(transaction, group) if again else group, again=again)
            except (DBAPIError, ValueError) as error:
                if is_transient(error):
                    raise
                _log.error("key_parked", consumer=self.consumer, error=type(error).__name__, detail=_reason(error))
                work = Work({})
                first, *others = [d._replace(state_key=key, incoming=None, fault=Undecodable(_reason(error))) for d in group]
                work.outcomes[first.type_name, self._refuse_or_park(first, first.fault or error, {}, work)] += 1
                for d in others:
                    if self.subscription.refuse is not None:
                        self._refuse_or_park(d, d.fault or error, {}, work)
                    else:
                        work.dead_letters.append(DeadLetter(d.record, key, None if key else d.fault, d.catching_up))
                    work.outcomes[d.type_name, "waiting"] += 1
                async with self._tables.begin() as transaction:
                    if not again or await self._still_held(transaction, group):
                        await self._write(transaction, work)
            total.dead_letters.extend(work.dead_letters)
            total.outcomes.update(work.outcomes)
        ends = {(d.record.topic, d.record.partition): d.record.offset + 1 for d in batch}
        async with self._tables.begin() as transaction:
            if self.subscription.refuse is not None:
                await transaction.write_answered(self.consumer, [d.record for d in batch])
            await transaction.advance_positions(self.consumer, ends)
        return total


def _reason(error: Exception) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(origin).__name__}: {without_content(str(origin))[:300]}"
