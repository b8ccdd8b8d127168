"""FastStream's batch subscriber, which brings batches of raw records: one that can't be decoded must not spoil the others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka.abc import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from tuntas_chassis.messaging.kafka import consumer_options
from tuntas_chassis.messaging.subscription import Record, Subscription


def batch_subscriber(
    broker: KafkaBroker,
    subscription: Subscription[Any],
    consumer_name: str,
    batch_max: int,
    listener: ConsumerRebalanceListener,
    handle: Callable[[Sequence[Record]], Awaitable[None]],
) -> Any:
    """A subscriber in the group `consumer_name` that gives `handle` a batch at a time, `batch_max` records at most."""
    where: dict[str, Any] = {"pattern": subscription.pattern} if subscription.pattern else {}
    subscriber = broker.subscriber(
        *subscription.topics,
        group_id=consumer_name,
        ack_policy=AckPolicy.MANUAL,
        parser=_as_it_is,
        decoder=_raw_records,
        **where,
        **consumer_options(listener, batch_max, subscription.fetch_wait_ms, subscription.fetch_min_bytes),
    )
    subscriber(handle)
    return subscriber


async def _as_it_is(message: Any) -> KafkaMessage:
    """A parser that touches neither headers nor values."""
    return KafkaMessage(body=b"", raw_message=message, consumer=None)  # type: ignore[arg-type]  # never asked to commit


async def _raw_records(message: KafkaMessage) -> Sequence[Record]:
    records: Sequence[Record] = message.raw_message
    return records
