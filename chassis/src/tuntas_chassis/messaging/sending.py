"""Sending rows of an outbox: one batch per partition on its way at a time, in order, and none waited for without limit.

A client may send a batch behind one that failed, and the broker of a partition that does not know the producer yet takes it: messages
of one key would be swapped. So the second batch of a partition is sent when the first is acknowledged.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tuntas_chassis.messaging.kafka import unknown_topics
from tuntas_chassis.messaging.outbox import key_hash
from tuntas_contracts.envelope import Headers


class Destination(NamedTuple):
    """A partition; or, with a negative number, a topic whose partitions are not known."""

    topic: str
    partition: int


@dataclass(slots=True)
class _Batch:
    destination: Destination
    builder: Any
    rows: list[asyncpg.Record] = field(default_factory=list)


_OnWay = Mapping["asyncio.Future[object]", _Batch]


@dataclass(slots=True)
class Outcome:
    """What became of rows that were sent.

    `failed` says of each destination in trouble why, `silent` names those among them that gave no answer in time. A batch in
    `unanswered` is still on its way in the producer, and may arrive at any time. `out_of_step` says that the producer can't be used
    again: where one batch of it failed, the broker refuses all later ones for that partition.
    """

    sent: list[asyncpg.Record] = field(default_factory=list)
    failed: dict[Destination, str] = field(default_factory=dict)
    silent: set[Destination] = field(default_factory=set)
    unanswered: _OnWay = field(default_factory=dict)
    out_of_step: bool = False
    partitions: dict[str, int] = field(default_factory=dict)

    def fail(self, destination: Destination, why: str, *, silent: bool = False) -> None:
        """Nothing goes there for now."""
        self.failed[destination] = why
        if silent:
            self.silent.add(destination)


async def send(
    producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record], headers: Callable[[asyncpg.Record], Headers], limit_s: float
) -> Outcome:
    """Send rows, those of a partition in their order; comes back when all are acknowledged, or when some failed and the rest had its time.

    `limit_s` is how long it may take to pass one batch for each partition to the client, and to get the answers.
    """
    outcome = Outcome()
    try:
        async with asyncio.timeout(limit_s):
            unknown = await unknown_topics(producer, {row["topic"] for row in rows})
    except TimeoutError:
        for topic in {row["topic"] for row in rows}:
            outcome.fail(Destination(topic, -1), "no answer to a question for its partitions", silent=True)
        outcome.out_of_step = True
        return outcome
    for topic in unknown:
        outcome.fail(Destination(topic, -1), "the broker does not know it, or keeps it from us")
    queues = _batches(producer, rows, headers, outcome, unknown)
    while queues:
        on_way = await _pass_to_client(producer, [queue[0] for queue in queues.values()], outcome, limit_s)
        await _await_outcome(on_way, outcome, limit_s)
        if outcome.failed:
            break
        for queue in queues.values():
            queue.popleft()
        queues = {destination: queue for destination, queue in queues.items() if queue}
    return outcome


async def await_late_outcome(before: Outcome, limit_s: float) -> Outcome:
    """Wait on for what had no answer in time; what has none now either may still arrive, but is not waited for any more."""
    outcome = Outcome(partitions=before.partitions)
    await _await_outcome(before.unanswered, outcome, limit_s)
    return outcome


def _batches(
    producer: AIOKafkaProducer,
    rows: Sequence[asyncpg.Record],
    headers: Callable[[asyncpg.Record], Headers],
    outcome: Outcome,
    unknown: Collection[str],
) -> dict[Destination, deque[_Batch]]:
    queues: dict[Destination, deque[_Batch]] = defaultdict(deque)
    partitions = outcome.partitions
    for row in rows:
        topic: str = row["topic"]
        if topic in unknown:
            continue
        number = partitions.get(topic)
        if number is None:
            number = partitions[topic] = len(producer.client.cluster.partitions_for_topic(topic))
        key: bytes = row["key"].encode()
        destination = Destination(topic, key_hash(key) % number)
        queue = queues[destination]
        value, own = row["value"], headers(row)
        if not queue or queue[-1].builder.append(timestamp=None, key=key, value=value, headers=own) is None:
            queue.append(_Batch(destination, producer.create_batch()))
            queue[-1].builder.append(timestamp=None, key=key, value=value, headers=own)  # an empty batch takes any
        queue[-1].rows.append(row)
    return queues


async def _pass_to_client(
    producer: AIOKafkaProducer, batches: Sequence[_Batch], outcome: Outcome, limit_s: float
) -> dict["asyncio.Future[object]", _Batch]:
    on_way: dict[asyncio.Future[object], _Batch] = {}
    batch = batches[0]
    try:
        async with asyncio.timeout(limit_s):
            for batch in batches:
                try:
                    on_way[await producer.send_batch(batch.builder, batch.destination.topic, partition=batch.destination.partition)] = batch
                except (KafkaError, AssertionError) as error:  # the client asserts that it knows the partition
                    outcome.fail(batch.destination, f"{type(error).__name__}: {error}")
                    outcome.out_of_step = True
    except TimeoutError:  # the client answers nothing at all
        outcome.fail(batch.destination, "TimeoutError: the client did not take it", silent=True)
        outcome.out_of_step = True
    return on_way


async def _await_outcome(on_way: _OnWay, outcome: Outcome, limit_s: float) -> None:
    if not on_way:
        return
    done, late = await asyncio.wait(on_way, timeout=limit_s)
    for future in done:
        batch = on_way[future]
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            outcome.fail(batch.destination, f"{type(error).__name__}: {error}")
            outcome.out_of_step = True
        else:
            outcome.sent += batch.rows
    outcome.unanswered = {future: on_way[future] for future in late}
    for batch in outcome.unanswered.values():
        outcome.fail(batch.destination, "no answer in time", silent=True)
        outcome.out_of_step = True
