"""What is on topics in memory, as messages, and how tests that are not asynchronous run a service on them."""

import asyncio
import atexit
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from tuntas_chassis.messaging.memory.broker import MemoryBroker
from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import TOPICS

T = TypeVar("T")
TYPES = {message.__name__: message for topic in TOPICS for message in topic.messages()}


@cache
def _loop() -> asyncio.AbstractEventLoop:
    made = asyncio.new_event_loop()
    atexit.register(made.close)
    return made


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do this to its end."""
    return _loop().run_until_complete(work)


@dataclass(frozen=True)
class Message:
    """A message on a topic, or one of an outbox."""

    id: UUID
    source: str
    topic: str
    key: str
    time: datetime
    body: Contract


def body_of(kind: str, value: bytes) -> Contract:
    """The body of a message of this type."""
    return TYPES[kind].model_validate_json(value)


class MemoryTopics:
    """Some topics of a broker, made where they are not there, each record decoded once."""

    def __init__(self, broker: MemoryBroker, *topics: str) -> None:
        self._broker = broker
        self._topics = topics
        self._decoded: dict[tuple[str, int, int], Message] = {}
        for topic in topics:
            if topic not in broker.topics:
                broker.create(topic, 1)

    def append(self, message: Message, partition: int | None = None) -> None:
        """Publish."""
        envelope = Envelope(message.id, message.source, type(message.body).__name__, message.key, message.time)
        value = message.body.model_dump_json().encode()
        self._broker.append(message.topic, message.key.encode() or None, value, envelope.headers(), partition)

    def messages(self) -> list[Message]:
        """Everything, in the order in which it was appended."""
        found = []
        for topic in self._topics:
            for number, log in enumerate(self._broker.topics[topic]):
                for record in log:
                    place = (topic, number, record.offset)
                    if place not in self._decoded:
                        e = Envelope.read(record.headers)
                        body = body_of(e.type, record.value or b"")
                        self._decoded[place] = Message(e.id, e.source, topic, (record.key or b"").decode(), e.time, body)
                    found.append((record.timestamp, self._decoded[place]))
        return [message for _, message in sorted(found, key=lambda pair: pair[0])]
