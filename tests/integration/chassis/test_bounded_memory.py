"""A process that may take no more memory than its pod works off large backlogs on both sides."""

import resource
from collections.abc import Callable
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from tests.support.delivery import A_MONDAY, Delivery
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until
from tuntas_chassis.ids import new_id
from tuntas_contracts.envelope import Envelope

LARGEST_EVENT = 121_000
"""Bytes of the largest event that the contracts allow."""
BACKLOG = 700
ABOVE_IDLE = 72 * 1024 * 1024
"""Less than a pod has: 256 MiB, of which an idle service takes some 130."""
WITHIN_S = 120.0
_FILL = text(
    "INSERT INTO outbox (shard, topic, key, message_id, type, time, traceparent, value) SELECT n % 4, :topic, 'k' || n, "
    "gen_random_uuid(), 'Summed', now(), '', convert_to(repeat('x', :bytes), 'UTF8') FROM generate_series(1, :rows) n"
)
_LEFT = text("SELECT (SELECT sum(steps) FROM tally) AS read, (SELECT count(*) FROM outbox) AS unsent")


def _data_bytes(process: ServiceProcess) -> int:
    """What a process has allocated for its data, as RLIMIT_DATA counts it."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmData:")]
    return int(line.split()[1]) * 1024


async def _ends(delivery: Delivery) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=delivery.servers.bootstrap, enable_auto_commit=False) as consumer:
        ends = await consumer.end_offsets([TopicPartition(delivery.outputs, n) for n in range(delivery.partitions)])
    return sum(ends.values())


async def test_large_backlogs_are_worked_off_within_a_pods_memory(make: Callable[..., Delivery]) -> None:
    """A look at the outbox that is bounded by rows alone (2,000) would hold all of it, 85 MB and the driver's copies of it.

    A consumer's batch that is bounded by records alone (2,000) would hold the whole topic, as much again. Either is more than there is.
    """
    delivery = make()
    process = await ServiceProcess(delivery).start()
    app = delivery.app()
    try:
        await process.until_ready()
        limit = _data_bytes(process) + ABOVE_IDLE
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, limit))
        async with app.database.begin() as connection:
            await connection.execute(_FILL, {"topic": delivery.outputs, "bytes": LARGEST_EVENT, "rows": BACKLOG})
        value = b'{"amount": 1}'.ljust(LARGEST_EVENT)
        await delivery.feed_raw(
            [(f"key-{n % 50}".encode(), value, Envelope(new_id(), "tests", "Added", "key", A_MONDAY).headers()) for n in range(BACKLOG)]
        )

        async def worked_off() -> bool:
            async with app.database.connect() as connection:
                row = (await connection.execute(_LEFT)).one()
            return (row.read, row.unsent) == (BACKLOG, 0) and await _ends(delivery) == 2 * BACKLOG

        await until(worked_off, "all is read, and sent, and the sums of what was read are sent too", WITHIN_S)
        assert (await process.get("/livez")).status_code == 200
    finally:
        await process.kill()
        await app.database.close()
