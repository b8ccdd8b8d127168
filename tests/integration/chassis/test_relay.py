"""The relay on real servers: in order per key however many relays there are, and a topic that is not there stops only itself."""

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import text

from tests.support.counting import Summed
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.service import ServiceApp
from tuntas_operations.topics import TopicSpec, create_topics

KEYS = [f"key-{n}" for n in range(50)]


async def _write(app: ServiceApp, topic: str, steps: Sequence[int], keys: Sequence[str] = KEYS) -> None:
    """One transaction a step, with a message for every key."""
    for step in steps:
        async with app.database.begin() as connection:
            await app.outbox.write(connection, [Outgoing(topic, key, Summed(total=0, steps=step), A_MONDAY) for key in keys])
        app.outbox.written()


async def _published(delivery: Delivery, number: int) -> dict[str, list[int]]:
    """Steps by key in the topic's order, once as many messages are there."""

    async def there() -> bool:
        return len(await delivery.published()) >= number

    await until(there, f"{number} messages are published")
    steps: dict[str, list[int]] = {}
    for key, body, _ in await delivery.published():
        steps.setdefault(key, []).append(body.steps)
    return steps


async def _outbox(delivery: Delivery) -> list[str]:
    return [row.topic for row in await delivery.query("SELECT topic FROM outbox UNION ALL SELECT topic FROM outbox_set_aside")]


async def test_two_relays_started_at_once_publish_everything_once_and_in_order(make: Callable[..., Delivery]) -> None:
    delivery = make(outbox_batch=200)
    writer = delivery.app()
    await writer.migrate()
    await _write(writer, delivery.outputs, range(20))
    writing = asyncio.create_task(_write(writer, delivery.outputs, range(20, 60)))
    first, second = await asyncio.gather(delivery.start(), delivery.start())
    await writing

    async def shared() -> bool:
        return [app.metrics.value("tuntas_outbox_shards_owned") for app in (first, second)] == [2, 2]

    await until(shared, "each of the four shards has one relay, and each relay two of them")
    winner = first
    (task,) = [task for app, task in delivery.running if app is winner]
    more = asyncio.create_task(_write(writer, delivery.outputs, range(60, 80)))
    winner.stop()
    await asyncio.gather(task, more)
    await winner.database.close()
    delivery.running = [pair for pair in delivery.running if pair[0] is not winner]
    assert await _published(delivery, 80 * len(KEYS)) == {key: list(range(80)) for key in KEYS}

    async def empty() -> bool:
        return await _outbox(delivery) == []

    await until(empty, "nothing is left in the outbox")
    await writer.database.close()


async def test_a_relay_whose_connection_is_cut_continues_with_nothing_lost_or_reordered(make: Callable[..., Delivery]) -> None:
    delivery = make(outbox_batch=50)
    app = await delivery.start()
    writing = asyncio.create_task(_write(app, delivery.outputs, range(40)))
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'counting-relay'"
    )
    assert await delivery.query(cut)
    await writing

    async def all_there() -> bool:
        return len({identity for _, _, identity in await delivery.published()}) == 40 * len(KEYS)

    await until(all_there, "everything is published")
    order: dict[str, list[int]] = {}
    seen: set[object] = set()
    for key, body, identity in await delivery.published():
        if identity not in seen:  # what was sent and not yet deleted when the connection broke is sent again, under its id
            seen.add(identity)
            order.setdefault(key, []).append(body.steps)
    assert order == {key: list(range(40)) for key in KEYS}


async def test_a_missing_topic_delays_only_its_own_messages(make: Callable[..., Delivery], servers: Servers) -> None:
    delivery = make()
    app = await delivery.start()
    missing = f"{delivery.outputs}.missing"
    await _write(app, missing, range(3), ["a"])
    await _write(app, delivery.outputs, range(3), ["a", "b"])
    assert await _published(delivery, 6) == {"a": [0, 1, 2], "b": [0, 1, 2]}

    async def blocked() -> bool:
        return app.metrics.value("tuntas_outbox_blocked_topics") == 1 and await _outbox(delivery) == [missing] * 3

    await until(blocked, "only the missing topic's messages wait, and a gauge shows it")
    await asyncio.to_thread(create_topics, servers.bootstrap, [TopicSpec(missing, 4, {})])
    arrived = Delivery(servers, delivery.database_url, delivery.inputs, missing, 4)
    assert await _published(arrived, 3) == {"a": [0, 1, 2]}

    async def free() -> bool:
        return app.metrics.value("tuntas_outbox_blocked_topics") == 0 and await _outbox(delivery) == []

    await until(free, "nothing waits any more")


async def test_messages_of_a_rolled_back_transaction_are_never_published(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = await delivery.start()
    async with app.database.connect() as connection:
        await app.outbox.write(connection, [Outgoing(delivery.outputs, "a", Summed(total=0, steps=0), A_MONDAY)])
        assert (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 1
        await connection.rollback()
    await _write(app, delivery.outputs, [1], ["a"])
    assert await _published(delivery, 1) == {"a": [1]}
