"""What FastStream takes from the client: every record that was returned is handled, or returned again."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError

from tuntas_chassis.messaging.continuity import Continuity
from tuntas_chassis.messaging.fetching import Fetching
from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.telemetry.logs import logger

Drained = dict[TopicPartition, list[Record]]
_log = logger(__name__)


class Draining:
    """Wraps one client's `getmany`. FastStream asks again when the batch before is over, handled or not."""

    def __init__(
        self,
        consumer_name: str,
        client: AIOKafkaConsumer,
        fetching: Fetching,
        continuity: Continuity,
        handled: Callable[[], Mapping[TopicPartition, int]],
        note_gap: Callable[[], None],
    ) -> None:
        """`handled` gives the next offset to handle of each partition that is not halted; `note_gap` is called for each gap found."""
        self._name = consumer_name
        self._client = client
        self._getmany = client.getmany
        self._fetching = fetching
        self._continuity = continuity
        self._handled = handled
        self._note_gap = note_gap
        client.getmany = self.getmany

    async def getmany(self, *partitions: TopicPartition, timeout_ms: float = 0, max_records: int | None = None) -> Drained:
        """As aiokafka's, but it raises for no records: ConsumerStoppedError is all that ends it."""
        self._go_back(self._continuity.gaps(self._handled()), "not everything was handled")
        while True:
            try:
                drained: Drained = await self._getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
            except ConsumerStoppedError:
                raise
            except Exception as error:
                _log.error("fetch_raised", consumer=self._name, error=type(error).__name__, exc_info=error)
                await self._isolate()
                await asyncio.sleep(0.2)
            else:
                self._continuity.returned(drained)
                self._fetching.drained(drained)
                return drained

    async def _isolate(self) -> None:
        """Go back behind what was handled of every partition, and leave out for a while the one whose own fetch raises."""
        for partition in self._client.assignment() - self._client.paused():
            try:
                await self._getmany(partition, timeout_ms=0, max_records=1)
            except ConsumerStoppedError:
                raise
            except Exception as error:
                self._fetching.set_aside(partition, type(error).__name__)
        positions = {p: await self._client.position(p) for p in self._client.assignment() if p not in self._client.paused()}
        self._go_back(self._continuity.dropped(positions), "the client failed while it returned records")

    def _go_back(self, gaps: Mapping[TopicPartition, int], why: str) -> None:
        mine: Any = self._client.assignment()
        for partition, position in gaps.items():
            if partition not in mine:
                continue
            _log.warning("gap_closed", consumer=self._name, topic=partition.topic, partition=partition.partition, offset=position, why=why)
            self._client.seek(partition, position)
            self._continuity.sought(partition, position)
            self._note_gap()
