"""The messages of the topics during the play: read in a thread of its own, passed to the event loop in batches."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from tuntas_contracts.envelope import TYPE_PREFIX
from tuntas_contracts.topology import AGENCY_CASES, CASES, NOTICES, SLA
from tuntas_demo.options import DemoFailed

_AT_ONCE = 1_000
_POLL_S = 0.1
_PREFIX = TYPE_PREFIX.encode()


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One message of a topic: its type, who wrote it, its data."""

    topic: str
    kind: str
    source: str
    data: Mapping[str, Any]


class Feed:
    """Follows the cases, deadlines and notices topics, and the topics of the agencies that act by their own systems."""

    def __init__(
        self, bootstrap: str, client: Mapping[str, str], agencies: Sequence[str], listen: Callable[[Sequence[FeedMessage]], None]
    ) -> None:
        """`client` holds further settings of the Kafka client; `listen` is called in the event loop that `start` was called in."""
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tuntas-demo",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 60,
                "fetch.min.bytes": 32_768,  # one request in 60 ms at most, however little comes: there are many partitions in it
                "log_level": 0,
                **client,
            }
        )
        names = [(topic.name, topic.partitions) for topic in (CASES, SLA, NOTICES)]
        names += [(AGENCY_CASES.for_agency(code), AGENCY_CASES.partitions) for code in agencies]
        self._partitions = [(name, number) for name, count in names for number in range(count)]
        self._listen = listen
        self._read: dict[tuple[str, int], int] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: str | None = None

    def start(self) -> None:
        """Begin to read, from the beginning."""
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic, number in self._partitions])
        self._thread = threading.Thread(target=self._follow, args=(asyncio.get_running_loop(),), name="feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._consumer.close()

    def has_read(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether everything before these ends has been listened to.

        Raises:
            DemoFailed: Kafka can't be read, or the listener failed.
        """
        if self._fault is not None:
            raise DemoFailed(self._fault)
        return all(self._read.get(partition, 0) >= end for partition, end in ends.items())

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            first = self._consumer.poll(_POLL_S)
            if first is None:
                continue
            messages = [first, *self._consumer.consume(_AT_ONCE, 0)]  # what is there: with a time it would wait for all it asks for
            parsed: list[FeedMessage] = []
            read: dict[tuple[str, int], int] = {}
            for message in messages:
                topic, partition, offset = message.topic(), message.partition(), message.offset()
                if message.error() is not None or topic is None or partition is None or offset is None:
                    self._fault = f"Kafka can't be read: {message.error()}"
                    return
                read[topic, partition] = offset + 1
                kind, source = _attributes(message)
                parsed.append(FeedMessage(topic, kind, source, json.loads(message.value() or b"{}")))
            if not self._stopping.is_set():
                loop.call_soon_threadsafe(self._deliver, parsed, read)

    def _deliver(self, messages: Sequence[FeedMessage], read: Mapping[tuple[str, int], int]) -> None:
        try:
            self._listen(messages)
        except Exception as error:
            self._fault = f"the play could not follow the topics: {type(error).__name__}: {error}"
            raise
        self._read.update(read)


def _attributes(message: Message) -> tuple[str, str]:
    """The type and the source that the message's envelope names."""
    headers = {h[0]: bytes(h[1] or b"") for h in message.headers() or [] if not isinstance(h[1], str)}
    return headers.get("ce_type", b"").removeprefix(_PREFIX).decode(), headers.get("ce_source", b"").decode()
