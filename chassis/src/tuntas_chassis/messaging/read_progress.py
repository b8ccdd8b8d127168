"""What a service has not decided on yet: messages that it has not read, and those among its dead letters."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.messaging.end_offsets import LOG_END, end_offsets, start_offsets
from tuntas_chassis.messaging.inbox import read_positions
from tuntas_chassis.messaging.read_bounds import ReadBounds
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.topology import agency_of

_EVER = datetime.max.replace(tzinfo=UTC)
_MOST_UNDECIDED = 20_000
# Dead letters, and inputs that are held until all before them is read.
_UNDECIDED = text(
    "SELECT partition, key FROM parked_message WHERE consumer = ANY(CAST(:consumers AS text[])) AND topic = :topic "
    "AND state IN ('parked', 'waiting') AND key IS NOT NULL "
    "UNION SELECT partition, encode(raw_key, 'escape') FROM held_input WHERE consumer = ANY(CAST(:consumers AS text[])) "
    "AND topic = :topic AND raw_key IS NOT NULL LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class DelayingConsumer:
    """A consumer whose unread messages and dead letters delay watermarks: its name, and what it reads by name or by pattern."""

    name: str
    topics: Sequence[str] = ()
    pattern: str | None = None


@dataclass(slots=True)
class Unread:
    """Up to which time everything is read where that is not now; None where the time is not known.

    `partitions` are those of the topic that watermarks are about, `agencies` those whose own topics lag; `everything` is about all else.
    """

    partitions: dict[int, datetime | None] = field(default_factory=dict)
    agencies: dict[str, datetime | None] = field(default_factory=dict)
    everything: datetime | None = _EVER


class ReadProgress:
    """How far the consumers of one service are, all its processes together."""

    def __init__(self, consumers: Sequence[DelayingConsumer], topic: str, database: Database) -> None:
        """`topic` is the one that watermarks are about."""
        self._consumers = consumers
        self._topic = topic
        self._database = database
        self._bounds = {consumer.name: ReadBounds() for consumer in consumers}

    async def look(self, client: AIOKafkaClient, now: datetime) -> Unread:
        """What is unread at `now`. A topic that can't be asked, or is gone, counts as unread; raises where no broker answers."""
        unread = Unread()
        cluster = await self._metadata(client)
        for consumer in self._consumers:
            partitions = _partitions(consumer, cluster)
            ends = await end_offsets(client, cluster, partitions, LOG_END)
            async with self._database.connect() as connection:
                stored = await read_positions(connection, consumer.name)
            positions = {TopicPartition(*p): position for p, position in stored.items()}
            behind = [p for p, end in ends.items() if positions.get(p, 0) < end]
            if behind:  # what expired unread is not to be waited for
                starts = await start_offsets(client, cluster, behind)
                positions |= {p: max(positions.get(p, 0), start) for p, start in starts.items()}
            gone = [p for p in positions if p.topic not in cluster.topics()]
            for partition, at in self._bounds[consumer.name].look(now, [*partitions, *gone], ends, positions).items():
                self._add(unread, partition, at)
        return unread

    async def _metadata(self, client: AIOKafkaClient) -> ClusterMetadata:
        if any(consumer.pattern for consumer in self._consumers):
            return await client.fetch_all_metadata()  # a topic that was made a moment ago must be among them
        return client.cluster

    def _add(self, unread: Unread, partition: TopicPartition, at: datetime | None) -> None:
        agency = agency_of(partition.topic)
        if partition.topic == self._topic:
            unread.partitions[partition.partition] = _earlier(unread.partitions.get(partition.partition, at), at)
        elif agency is not None:
            unread.agencies[agency] = _earlier(unread.agencies.get(agency, at), at)
        else:
            unread.everything = _earlier(unread.everything, at)

    async def undecided(self, connection: AsyncConnection) -> Mapping[int, Sequence[UUID]] | None:
        """The cases, by partition, of which a message is a dead letter or a held input; None where there are too many to name."""
        if not self._consumers:
            return {}
        values = {"consumers": [c.name for c in self._consumers], "topic": self._topic, "limit": _MOST_UNDECIDED}
        rows = list(await connection.execute(_UNDECIDED, values))
        if len(rows) == _MOST_UNDECIDED:
            return None
        found: dict[int, list[UUID]] = defaultdict(list)
        for row in rows:
            case_id = _case_id(row.key)
            if case_id is not None:
                found[row.partition].append(case_id)
        return found


def _partitions(consumer: DelayingConsumer, cluster: ClusterMetadata) -> list[TopicPartition]:
    topics: Iterable[str] = consumer.topics
    if consumer.pattern:
        wanted = re.compile(consumer.pattern)
        topics = [topic for topic in cluster.topics() if wanted.match(topic)]
    return [TopicPartition(topic, number) for topic in topics for number in cluster.partitions_for_topic(topic) or ()]


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else min(one, other)


def _case_id(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None  # of no case
