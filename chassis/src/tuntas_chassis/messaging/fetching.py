"""Fetching for one consumer: each partition separately, within bounds in bytes, and long waits at the broker while nothing comes.

aiokafka raises one partition's fault to whoever reads all of them and has one fixed wait for every fetch. The few private
attributes of it that are used instead stand here and nowhere else; `Fetching.attach` checks them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from tuntas_chassis.messaging.partition_records import ByteBudget, PartitionRecords, UnreadableRecords
from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.telemetry.logs import logger

FETCH_BYTES = 8 * 1_048_576
"""What a broker answers to one fetch at most; a first batch that is larger comes whole."""
DRAIN_BYTES = 16 * 1_048_576
"""What is handled in one transaction at most, inflated; the rest comes with the next."""
_IDLE_AFTER_S = 5.0  # without anything but records without a key: watermarks
_TRY_AGAIN_S = 5.0
_PLACEHOLDER = bytes(
    DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=0
    ).build()
)
# what the client handles itself: offset out of range (reset), not the leader, unknown or fenced leader epoch (metadata)
_CLIENTS_OWN = frozenset({1, 6, 74, 76})
_UNKNOWN_TOPIC = 3
_log = logger(__name__)


class Fetching:
    """How one consumer is fed. Created for each client."""

    def __init__(
        self,
        consumer_name: str,
        idle_wait_ms: int,
        note_unreadable: Callable[[UnreadableRecords], None],
        note_passed: Callable[[TopicPartition, int, int], None],
    ) -> None:
        """`note_unreadable` is called before the records that it concerns are returned; `note_passed`: see `PartitionRecords`."""
        self.idle_wait_ms = idle_wait_ms
        self.refused: dict[TopicPartition, str] = {}
        """Partitions that the broker does not return, and its reason."""
        self._name = consumer_name
        self._note_unreadable = note_unreadable
        self._note_passed = note_passed
        self._client: AIOKafkaConsumer | None = None
        self._budget = ByteBudget(DRAIN_BYTES)
        self._raw: dict[TopicPartition, bytes] = {}
        self._fetches: set[asyncio.Task[Any]] = set()
        self._busy_at = monotonic()
        self._isolating = False
        self.waits_long = False
        """Whether the last fetch was sent with the long wait."""

    @property
    def isolating(self) -> bool:
        """Whether the client is one whose fetches can be taken over; False means plain fetching."""
        return self._isolating

    @property
    def idle(self) -> bool:
        """Whether the next fetch waits long."""
        return monotonic() - self._busy_at > _IDLE_AFTER_S

    @property
    def broken(self) -> bool:
        """Whether the client's own loop has ended, after which it fetches nothing more."""
        return self._client is not None and bool(self._client._fetcher.error_future.done())

    def note_work(self) -> None:
        """Something came."""
        self._busy_at = monotonic()

    def attach(self, client: AIOKafkaConsumer) -> None:
        """Take over this client's fetches, before its first; once is enough."""
        if self._client is client:
            return
        self._client = client
        self.note_work()
        if missing := missing_parts(client):
            _log.error("plain_fetching", consumer=self._name, missing=missing, why="this version of aiokafka is unknown")
            return
        fetcher = client._fetcher
        ask = fetcher._proc_fetch_request
        fetcher._client = _FetchingClient(fetcher._client, self._send)

        async def ask_broker(assignment: Any, node_id: int, request: FetchRequest) -> bool:
            task = asyncio.current_task()
            assert task is not None
            self._fetches.add(task)
            try:
                brought = bool(await ask(assignment, node_id, request))
                self._replace(fetcher._records, request)
                return brought
            except asyncio.CancelledError:
                return False  # no new data; the client's loop would end by what it does not expect
            except Exception as error:
                _log.error("fetch_failed", consumer=self._name, node=node_id, error=type(error).__name__, exc_info=error)
                await asyncio.sleep(1.0)
                return False
            finally:
                self._fetches.discard(task)

        fetcher._proc_fetch_request = ask_broker
        self._isolating = True

    def detach(self) -> None:
        """The client is about to end."""
        self._client = None
        self._isolating = False
        self.refused.clear()

    async def _send(self, client: Any, node_id: int, request: FetchRequest) -> Any:
        """One fetch. What came is kept raw: the client is given a batch without records for it."""
        response = await client.send(node_id, self._as_long_as_idle(node_id, request))
        topics = []
        for topic, partitions in response.topics:
            given = []
            for entry in partitions:
                partition, code = TopicPartition(topic, entry[0]), entry[1]
                if code and code not in _CLIENTS_OWN:
                    self.set_aside(partition, for_code(code).__name__)
                    if code == _UNKNOWN_TOPIC:
                        given.append(entry)  # the client looks for it
                    continue
                if self.refused and partition in self.refused:
                    del self.refused[partition]
                if raw := entry[-1]:
                    self._raw[partition] = raw
                    entry = (*entry[:-1], _PLACEHOLDER)
                given.append(entry)
            topics.append((topic, given))
        response.topics = topics
        return response

    def _as_long_as_idle(self, node_id: int, request: FetchRequest) -> FetchRequest:
        """The same with a long wait, unless it leaves out a partition: what comes there would not be seen until it is over."""
        self.waits_long = False
        if not self.idle or self._client is None:
            return request
        asked = sum(len(partitions) for _, partitions in request.topics)
        leader = self._client._client.cluster.leader_for_partition
        paused = self._client.paused()
        if asked < sum(leader(p) == node_id for p in self._client.assignment() if p not in paused):
            return request
        self.waits_long = True
        return FetchRequest(self.idle_wait_ms, 1, FETCH_BYTES, 0, request.topics)

    def _replace(self, results: Mapping[TopicPartition, Any], request: FetchRequest) -> None:
        for topic, partitions in request.topics:
            for number, offset, _ in partitions:
                partition = TopicPartition(topic, number)
                raw = self._raw.pop(partition, None)
                result = results.get(partition)
                if raw is not None and result is not None:
                    result._partition_records = PartitionRecords(
                        partition, raw, offset, self._budget, self._note_unreadable, self._note_passed
                    )

    def set_aside(self, partition: TopicPartition, reason: str) -> None:
        """Ask the broker for this partition again only after a while: it answers such a fetch at once, and with it all partitions."""
        client = self._client
        if self.refused.get(partition) != reason:
            _log.error("partition_refused", consumer=self._name, topic=partition.topic, partition=partition.partition, reason=reason)
        self.refused[partition] = reason
        if client is None or partition in client.paused() or partition not in client.assignment():
            return
        client.pause(partition)
        asyncio.get_running_loop().call_later(_TRY_AGAIN_S, self._try_again, client, partition)

    def _try_again(self, client: AIOKafkaConsumer, partition: TopicPartition) -> None:
        """Until an answer comes it stays among those that are refused."""
        if partition in self.refused and client.assignment() and partition in client.assignment():
            client.resume(partition)

    def break_off(self) -> None:
        """End a fetch that waits long: what is asked next on its connection would be answered after it."""
        waited = self.idle
        self.note_work()
        self.refused.clear()
        if not self._isolating or not waited or self._client is None:
            return
        for fetch in self._fetches:
            fetch.cancel()
        for (_node, group), connection in list(self._client._client._conns.items()):
            if group == ConnectionGroup.DEFAULT:  # the group's own requests have another
                connection.close()

    def drained(self, records: Mapping[TopicPartition, list[Record]]) -> None:
        """A look at what was fetched is over: the next may bring as many bytes, and begins with the partitions that this left out."""
        self._budget.renew()
        if not self._isolating or self._client is None:
            return
        results = self._client._fetcher._records
        for partition in records:
            if partition in results:
                results.move_to_end(partition)


class _FetchingClient:
    """aiokafka's client for its fetcher alone: its fetches go another way."""

    def __init__(self, client: Any, fetch: Callable[..., Any]) -> None:
        self._client = client
        self._fetch = fetch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any) -> Any:
        if isinstance(request, FetchRequest):
            return await self._fetch(self._client, node_id, request)
        return await self._client.send(node_id, request)


def missing_parts(client: AIOKafkaConsumer) -> list[str]:
    """What is used of a started client without being promised by it, and is not there."""
    fetcher = getattr(client, "_fetcher", None)
    wanted = {
        "AIOKafkaConsumer._fetcher": fetcher is not None,
        "AIOKafkaConsumer._client._conns": isinstance(getattr(getattr(client, "_client", None), "_conns", None), dict),
        "Fetcher._records": isinstance(getattr(fetcher, "_records", None), OrderedDict),
        "Fetcher._client": hasattr(getattr(fetcher, "_client", None), "send"),
        "Fetcher._proc_fetch_request": _arguments(getattr(fetcher, "_proc_fetch_request", None)) == ("assignment", "node_id", "request"),
        "Fetcher.error_future": isinstance(getattr(fetcher, "error_future", None), asyncio.Future),
    }
    return [name for name, there in wanted.items() if not there]


def _arguments(method: Any) -> tuple[str, ...]:
    code = getattr(method, "__code__", None)
    return tuple(code.co_varnames[1 : code.co_argcount]) if code is not None else ()
