"""Whether the platform is idle: nothing unsent in an outbox, nothing unread on a topic, no deadline that has yet to be published."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tuntas_contracts.topology import CASES, NOTICES, SLA, Topic
from tuntas_contracts.vocabulary import Service
from tuntas_demo.options import DemoFailed
from tuntas_devstack.sessions import Sessions
from tuntas_operations.service_modules import module_of

READERS: Mapping[str, tuple[Service, Topic]] = {
    "intake.status": (Service.INTAKE, CASES),
    "triage.cases": (Service.TRIAGE, CASES),
    "dispatch.cases": (Service.DISPATCH, CASES),
    "sla-monitor.cases": (Service.SLA_MONITOR, CASES),
    "notifier.cases": (Service.NOTIFIER, CASES),
    "notifier.sla": (Service.NOTIFIER, SLA),
}
ACTIONS_READER = "dispatch.actions"

# A sequence that has not moved says that nothing was written meanwhile, even if it was sent and deleted again.
_LOOK = """SELECT (SELECT last_value FROM outbox_id_seq) AS written,
    EXISTS (SELECT FROM outbox) OR EXISTS (SELECT FROM outbox_set_aside) AS unsent,
    ARRAY(SELECT consumer || ' ' || topic || ' ' || partition || ' ' || position FROM consumer_offset) AS positions"""
_LOOK_FOR_DUE = _LOOK + ", EXISTS (SELECT FROM checkpoint WHERE fire_at <= $1 AND NOT held) AS due"
# what waits for the morning is still queued at the end of a play, whose last moment is a morning
_WAITING_MAIL = "SELECT count(*) AS number FROM delivery WHERE status IN ('queued', 'sending', 'waiting')"
_PARKED = "SELECT count(*) AS number FROM parked_message WHERE state IN ('parked', 'waiting')"
_LOOK_AGAIN_S = 0.05
_STALLED_S = 90.0

Ends = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class _Look:
    written: Mapping[Service, int]
    unsent: tuple[Service, ...]
    due: bool
    read: Mapping[tuple[str, str, int], int]


class Quiet:
    """Looks into the five databases and at the ends of the topics."""

    def __init__(self, bootstrap: str, client: Mapping[str, str], databases: Mapping[str, str]) -> None:
        """`client` holds further arguments of the Kafka client; `databases` are the services' URLs by module name."""
        self._kafka = {"bootstrap_servers": bootstrap, **client}
        self._databases = Sessions(databases)
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []

    async def open(self) -> None:
        """Connect to the broker; the databases are connected to by the first look."""
        consumer = AIOKafkaConsumer(enable_auto_commit=False, **self._kafka)
        await consumer.start()
        self._consumer = consumer
        self._partitions = [TopicPartition(topic.name, number) for topic in (CASES, SLA, NOTICES) for number in range(topic.partitions)]

    async def close(self) -> None:
        """Close all connections."""
        await self._databases.close()
        if self._consumer is not None:
            await self._consumer.stop()

    async def wait(self, until: datetime, commanded: Ends, *, with_notices: bool = False) -> Ends:
        """Wait until all is idle and every deadline up to `until` was published; `commanded` are the ends of the actions topics.

        Gives the ends of the topics that hold then. Nothing may be sent meanwhile. What the notifier publishes about its mails
        affects no case: it is waited for `with_notices` only.

        Raises:
            DemoFailed: it does not become idle.
        """
        deadline = monotonic() + _STALLED_S
        ends: Ends = {}
        written: Mapping[Service, int] = {}
        busy = ""
        while monotonic() < deadline:
            look = await self._look(until)
            counted = [service for service in Service if with_notices or service is not Service.NOTIFIER]
            unsent = [service for service in counted if service in look.unsent]
            now_written = {service: look.written[service] for service in counted}
            if unsent:
                busy = f"the outboxes of {', '.join(unsent)} are not empty"
            elif now_written != written:
                # something was written since the ends were read: read them again, and then everything up to them
                written, ends = now_written, await self._ends()
                continue
            elif look.due:
                busy = "deadlines are due that sla-monitor has not published"
            elif not (busy := _unread(look.read, ends, commanded)):
                return ends if with_notices else {place: end for place, end in ends.items() if place[0] != NOTICES.name}
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise DemoFailed(f"the platform did not become idle within {_STALLED_S:.0f} s: {busy or 'it keeps writing'}")

    async def waiting_mail(self) -> int:
        """How many notices are not delivered or given up yet."""
        [row] = await self._databases.fetch(module_of(Service.NOTIFIER), _WAITING_MAIL)
        return int(row["number"])

    async def parked(self) -> int:
        """How many messages wait among the services' dead letters."""
        return sum([int((await self._databases.fetch(module_of(service), _PARKED))[0]["number"]) for service in Service])

    async def _look(self, until: datetime) -> _Look:
        rows = dict(zip(Service, await asyncio.gather(*(self._row(service, until) for service in Service)), strict=True))
        read: dict[tuple[str, str, int], int] = {}
        for row in rows.values():
            for line in row["positions"]:
                consumer, topic, partition, position = line.split(" ")
                read[consumer, topic, int(partition)] = int(position)
        return _Look(
            written={service: row["written"] for service, row in rows.items()},
            unsent=tuple(service for service, row in rows.items() if row["unsent"]),
            due=rows[Service.SLA_MONITOR]["due"],
            read=read,
        )

    async def _row(self, service: Service, until: datetime) -> asyncpg.Record:
        due = service is Service.SLA_MONITOR
        [row] = await self._databases.fetch(module_of(service), _LOOK_FOR_DUE if due else _LOOK, *([until] if due else []))
        return row

    async def _ends(self) -> Ends:
        if self._consumer is None:
            raise DemoFailed("the look at the topics was not opened")
        found = await self._consumer.end_offsets(self._partitions)
        return {(partition.topic, partition.partition): end for partition, end in found.items()}


def _unread(read: Mapping[tuple[str, str, int], int], ends: Ends, commanded: Ends) -> str:
    """Which reader is behind; empty if none is."""
    for (topic, number), end in ends.items():
        for consumer, (_, reads) in READERS.items():
            if reads.name == topic and end > read.get((consumer, topic, number), 0):
                return f"{consumer} is behind on {topic}"
    for (topic, number), end in commanded.items():
        if end > read.get((ACTIONS_READER, topic, number), 0):
            return f"{ACTIONS_READER} is behind on {topic}"
    return ""
