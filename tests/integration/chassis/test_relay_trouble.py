"""A relay in partial trouble: a topic that refuses, a backlog, a database that takes no delete, an owner that is frozen."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from time import monotonic

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from sqlalchemy import text

from tests.support.counting import Summed, first_steps
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.servers import Servers
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox_rows import READ_BYTES, OutboxRows
from tuntas_chassis.service import ServiceApp

KEYS = [f"key-{n}" for n in range(20)]


async def _write(app: ServiceApp, topic: str, steps: Sequence[int], keys: Sequence[str] = KEYS) -> None:
    for step in steps:
        async with app.database.begin() as connection:
            await app.outbox.write(connection, [Outgoing(topic, key, Summed(total=0, steps=step), A_MONDAY) for key in keys])
        app.outbox.written()


def _set_largest_message(servers: Servers, topic: str, number_of_bytes: int) -> None:
    """Let the broker take records of a topic up to a size: refusing all is for a producer as if it had lost its right."""
    resource = ConfigResource(
        ResourceType.TOPIC,
        topic,
        incremental_configs=[ConfigEntry("max.message.bytes", str(number_of_bytes), incremental_operation=AlterConfigOpType.SET)],
    )
    admin = AdminClient({"bootstrap.servers": servers.bootstrap})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


async def _until_published(delivery: Delivery, expected: dict[str, list[int]], within_s: float = 60.0) -> None:
    async def there() -> bool:
        return first_steps(await delivery.published()) == expected

    await until(there, "everything is published in order", within_s)


async def test_a_topic_that_refused_for_a_while_recovers_automatically_and_blocks_no_other(
    make: Callable[..., Delivery], servers: Servers
) -> None:
    delivery = make()
    app = await delivery.start()
    refusing = Delivery(servers, delivery.database_url, delivery.inputs, servers.topic("refusing", 4), 4)
    await _write(app, refusing.outputs, range(3))
    await _until_published(refusing, {key: list(range(3)) for key in KEYS})
    await asyncio.to_thread(_set_largest_message, servers, refusing.outputs, 1)
    await _write(app, refusing.outputs, range(3, 6))
    await _write(app, delivery.outputs, range(5))
    await _until_published(delivery, {key: list(range(5)) for key in KEYS})

    async def blocked() -> bool:
        return app.metrics.value("tuntas_outbox_blocked_topics") == 1

    await until(blocked, "the topic is set aside")
    await _write(app, refusing.outputs, range(6, 9))
    await asyncio.to_thread(_set_largest_message, servers, refusing.outputs, 1_048_588)
    await _until_published(refusing, {key: list(range(9)) for key in KEYS})
    assert (app.metrics.value("tuntas_outbox_producer_renewals_total") or 0) >= 1
    await _write(app, refusing.outputs, range(9, 12))
    await _until_published(refusing, {key: list(range(12)) for key in KEYS})


async def test_a_backlog_of_a_blocked_topic_is_moved_out_of_the_way_of_each_look(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = await delivery.start()
    missing = f"{delivery.outputs}.missing"
    async with app.database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (shard, topic, key, message_id, type, time, traceparent, value) SELECT n % 4, :topic, 'k' || n, "
                "gen_random_uuid(), 'Summed', now(), '', convert_to('{}', 'UTF8') FROM generate_series(1, 50000) n"
            ),
            {"topic": missing},
        )
    app.outbox.written()
    await _write(app, delivery.outputs, range(3))

    async def moved() -> bool:
        (row,) = await delivery.query("SELECT (SELECT count(*) FROM outbox) AS main, (SELECT count(*) FROM outbox_set_aside) AS aside")
        return (row.main, row.aside) == (0, 50_000)

    await until(moved, "50,000 rows are set aside and no other is left", 120)
    assert first_steps(await delivery.published()) == {key: list(range(3)) for key in KEYS}


async def test_a_sent_message_that_cannot_be_deleted_is_not_sent_again(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = await delivery.start()
    for statement in (
        "CREATE SEQUENCE tries",  # counts on where a transaction is rolled back
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM nextval('tries'); "
        "RAISE EXCEPTION 'cannot execute DELETE in a read-only transaction' USING ERRCODE = '25006'; END$$",
        "CREATE TRIGGER refuse BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()",
    ):
        async with app.database.begin() as connection:
            await connection.execute(text(statement))
    await _write(app, delivery.outputs, range(3))

    async def sent() -> bool:
        return len(await delivery.published()) >= len(KEYS)

    await until(sent, "the first messages are sent")

    async def restarted() -> bool:
        (tries,) = await delivery.query("SELECT last_value FROM tries")
        return bool(tries.last_value > 3)

    await until(restarted, "the relay has restarted a few times")
    async with app.database.begin() as connection:
        await connection.execute(text("DROP TRIGGER refuse ON outbox"))
    await _until_published(delivery, {key: list(range(3)) for key in KEYS})

    async def empty() -> bool:
        return await delivery.query("SELECT id FROM outbox") == []

    await until(empty, "the outbox is empty")
    assert len(await delivery.published()) == 3 * len(KEYS), "each message is there once"


async def test_one_look_is_bounded_by_bytes(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = delivery.app()
    await app.migrate()
    async with app.database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (shard, topic, key, message_id, type, time, traceparent, value) SELECT n % 4, 't', 'k', "
                "gen_random_uuid(), 'Summed', now(), '', convert_to(repeat('x', 900000), 'UTF8') FROM generate_series(1, 200) n"
            )
        )
    connection = await app.database.raw()
    try:
        rows = OutboxRows(connection, 2_000)
        seen, looks = 0, 0
        while seen < 200:
            read = await rows.read(range(4), all_shards=looks % 2 == 0)
            assert 0 < sum(len(row["value"]) for row in read.rows) <= READ_BYTES + 900_000
            assert read.complete == (seen + len(read.rows) == 200 and len(read.rows) * 900_000 < READ_BYTES)
            await rows.delete([row["id"] for row in read.rows])
            seen, looks = seen + len(read.rows), looks + 1
    finally:
        await connection.close()
        await app.database.close()


async def test_relays_share_the_shards_within_seconds_of_joining_and_leaving(make: Callable[..., Delivery]) -> None:
    delivery = make()
    apps = [await delivery.start()]

    async def shared(owned: list[int]) -> None:
        async def as_wanted() -> bool:
            return sorted(int(app.metrics.value("tuntas_outbox_shards_owned") or 0) for app in apps) == owned

        await until(as_wanted, f"the shards are shared as {owned}")

    await shared([4])
    apps.append(await delivery.start())
    await shared([2, 2])
    await _write(apps[0], delivery.outputs, range(10))
    leaving, task = delivery.running.pop(0)
    leaving.stop()
    await task
    await leaving.database.close()
    apps.remove(leaving)
    await shared([4])
    await _write(apps[0], delivery.outputs, range(10, 20))
    await _until_published(delivery, {key: list(range(20)) for key in KEYS})


async def test_a_frozen_owner_is_replaced_and_thawed_it_swaps_nothing(make: Callable[..., Delivery]) -> None:
    delivery = make(outbox_lease_s=5)
    frozen = await ServiceProcess(delivery, {"TUNTAS_OUTBOX_LEASE_S": "5"}).start()
    try:
        await frozen.until_ready()
        app = await delivery.start()

        async def owns(number: int) -> bool:
            return app.metrics.value("tuntas_outbox_shards_owned") == number

        await until(lambda: owns(2), "the shards are shared", 60)
        writing = asyncio.create_task(_write(app, delivery.outputs, range(30)))
        assert frozen._process is not None
        frozen._process.send_signal(signal.SIGSTOP)
        since = monotonic()
        await until(lambda: owns(4), "the other has all shards", 60)
        assert monotonic() - since < 60
        await writing
        await _until_published(delivery, {key: list(range(30)) for key in KEYS})
        frozen._process.send_signal(signal.SIGCONT)
        await until(lambda: owns(2), "the thawed one has its share again", 60)
        await _write(app, delivery.outputs, range(30, 40))
        await _until_published(delivery, {key: list(range(40)) for key in KEYS})
    finally:
        with contextlib.suppress(ProcessLookupError):
            if frozen._process is not None:
                frozen._process.send_signal(signal.SIGCONT)
        await frozen.kill()
