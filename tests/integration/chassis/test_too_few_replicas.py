"""A partition with fewer replicas in sync than its minimum: its messages wait, all others are sent, and it continues automatically."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.protocol.produce import ProduceRequest

from tests.support.counting import Summed
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.waiting import until
from tuntas_chassis.messaging.kafka import make_producer
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import key_hash
from tuntas_chassis.messaging.relay import Relay

PARTITIONS = 4
BELOW = 1
KEYS = [f"key-{n}" for n in range(40)]
NOT_ENOUGH_REPLICAS = 19
WITHIN_S = 60.0


class TooFewReplicas:
    """Is between producers and the broker, and answers in its name that a partition has too few replicas.

    With one broker that is the only way: a broker takes a minimum that is above the number of replicas for that number.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.lasts = True

    def over(self, producer: AIOKafkaProducer) -> AIOKafkaProducer:
        """The same producer, whose requests go this way."""
        client: Any = producer.client
        ask = client.send

        async def send(node_id: int, request: Any, **options: Any) -> Any:
            if not (self.lasts and isinstance(request, ProduceRequest)):
                return await ask(node_id, request, **options)
            sound = [(topic, [p for p in parts if not self._is_below(topic, p[0])]) for topic, parts in request._topics]
            sound = [(topic, parts) for topic, parts in sound if parts]
            refused = any(self._is_below(topic, p[0]) for topic, parts in request._topics for p in parts)
            answered: list[Any] = [(self.topic, [(BELOW, NOT_ENOUGH_REPLICAS, -1, -1, -1)])] if refused else []
            if sound:
                request._topics = sound
                response = await ask(node_id, request, **options)
                answered += [(topic, [part[:5] for part in parts]) for topic, parts in response.topics]
            return SimpleNamespace(API_VERSION=7, topics=answered)

        client.send = send
        return producer

    def _is_below(self, topic: str, partition: int) -> bool:
        return (topic, partition) == (self.topic, BELOW)


async def test_other_partitions_are_sent_and_it_continues_when_it_can_be_written_to_again(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=PARTITIONS)
    app = delivery.app()
    await app.migrate()
    trouble = TooFewReplicas(delivery.outputs)
    relay = Relay(
        app.database, lambda: trouble.over(make_producer(app.settings, "relay")), app.settings, "counting", app.metrics, app.tracing
    )
    stopping = asyncio.Event()
    relaying = asyncio.create_task(relay.run(stopping))
    waiting = {key for key in KEYS if key_hash(key.encode()) % PARTITIONS == BELOW}
    assert 0 < len(waiting) < len(KEYS)

    async def write(*steps: int) -> None:
        for step in steps:
            async with app.database.begin() as connection:
                messages = [Outgoing(delivery.outputs, key, Summed(total=0, steps=step), A_MONDAY) for key in KEYS]
                await app.outbox.write(connection, messages)
            relay.wake()

    async def until_published(wanted: dict[str, list[int]]) -> None:
        async def published() -> bool:
            steps: dict[str, list[int]] = {}
            seen: set[object] = set()
            for key, body, identity in await delivery.published():
                if identity not in seen:
                    seen.add(identity)
                    steps.setdefault(key, []).append(body.steps)
            return steps == wanted

        await until(published, f"steps of {len(wanted)} keys are published in order", WITHIN_S)

    try:
        await write(0, 1)
        await until_published({key: [0, 1] for key in KEYS if key not in waiting})

        async def set_aside() -> bool:
            return app.metrics.value("tuntas_outbox_blocked_topics") == 1

        await until(set_aside, "the partition is set aside", WITHIN_S)
        await write(2, 3)
        await until_published({key: [0, 1, 2, 3] for key in KEYS if key not in waiting})
        trouble.lasts = False
        await until_published({key: [0, 1, 2, 3] for key in KEYS})
        await write(4)
        await until_published({key: [0, 1, 2, 3, 4] for key in KEYS})
    finally:
        stopping.set()
        await relaying
        await app.database.close()
