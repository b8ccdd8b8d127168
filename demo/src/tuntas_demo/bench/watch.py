"""Watches the topics while the load runs: when each report passed each hop."""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from tuntas_contracts.topology import AGENCY_CASES, CASES

_WATCHED: dict[object, str] = {
    b"id.tuntas.ReportSubmitted": "published",
    b"id.tuntas.CaseForwarded": "forwarded",
    b"id.tuntas.CaseAssigned": "delivered",
}


@dataclass(slots=True)
class Passed:
    """By hop and case id: when the record could be read there (epoch seconds)."""

    published: dict[str, float] = field(default_factory=dict)
    forwarded: dict[str, float] = field(default_factory=dict)
    delivered: dict[str, float] = field(default_factory=dict)


class TopicWatch:
    """Reads the cases topic and every agency's from their present ends, in a thread."""

    def __init__(self, bootstrap: str, client: Mapping[str, str]) -> None:
        """`client` holds further settings of the Kafka client."""
        self.passed = Passed()
        self._stop = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tuntas-bench",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
                "log_level": 0,
                **client,
            }
        )
        family = re.compile(AGENCY_CASES.pattern)
        topics = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **client}).list_topics(timeout=20).topics
        partitions = [
            TopicPartition(name, number)
            for name, topic in topics.items()
            if name == CASES.name or family.match(name)
            for number in topic.partitions
        ]
        for partition in partitions:
            partition.offset = self._consumer.get_watermark_offsets(partition, timeout=20)[1]
        self._consumer.assign(partitions)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            now_read = self._consumer.consume(2_000, 0.1)
            now = time()
            for message in now_read:
                self._note(message, now)

    def _note(self, message: Message, now: float) -> None:
        for header in message.headers() or ():
            if header[0] == "ce_type":
                hop = _WATCHED.get(header[1])
                if hop is not None:
                    key = message.key()
                    case_id = key.decode() if isinstance(key, bytes) else json.loads(message.value() or b"{}")["case_id"]
                    getattr(self.passed, hop).setdefault(case_id, now)
                return
