"""A recreated topic begins at offset 0: what it holds must neither be taken for known nor be missed."""

from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import text

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.messaging.dead_letters import lock_parked_key
from tuntas_chassis.service import ServiceApp

HALTED = "tuntas_consumer_halted_partitions"


async def _add(delivery: Delivery, number: int) -> None:
    await delivery.feed([("a", Added(amount=1)) for _ in range(number)])


async def _published(delivery: Delivery, number: int) -> None:
    async def all_of_them() -> bool:
        return len(await delivery.published()) >= number

    await until(all_of_them, f"{number} results are published")
    assert [sum_.total for _, sum_, _ in await delivery.published()] == list(range(1, number + 1))


async def _after_five(make: Callable[..., Delivery]) -> tuple[Delivery, ServiceApp]:
    """A replica that has read five messages and published something for each."""
    delivery = make()
    app = await delivery.start()
    await _add(delivery, 5)
    await _published(delivery, 5)
    return delivery, app


async def _halts(app: ServiceApp) -> None:
    async def halted() -> bool:
        return app.metrics.value(HALTED, "counting.in") == 1

    await until(halted, "the partition is halted")


def _read_to(app: ServiceApp, position: int) -> TopicPartition:
    return next(p for p, reached in app._consumers["in"]._positions.items() if reached == position)


async def _read_again(delivery: Delivery) -> None:
    """What the runbook says."""
    await delivery.stop()
    app = delivery.app()
    async with app.database.begin() as connection:
        await connection.execute(text("DELETE FROM consumer_offset WHERE topic = :topic"), {"topic": delivery.inputs})
    await app.database.close()
    await delivery.start()


async def test_one_that_is_cut_off_under_a_running_consumer_is_halted(make: Callable[..., Delivery]) -> None:
    delivery, app = await _after_five(make)

    read = _read_to(app, 5)
    app._consumers["in"]._positions[read] = 100  # as if the log had been so long, and had lost the most of it
    await _add(delivery, 2)
    await _halts(app)
    await app.resume_halted()  # of no use: it sees again that the log is cut, and skips nothing
    await _halts(app)
    assert len(await delivery.published()) == 5
    await _read_again(delivery)
    await _published(delivery, 7)


async def test_records_read_before_are_not_taken_for_a_cut(make: Callable[..., Delivery]) -> None:
    delivery, app = await _after_five(make)
    kafka = app._consumers["in"]._kafka
    assert kafka is not None
    kafka.seek(_read_to(app, 5), 0)  # as after a rebalance in the middle of a batch
    await _add(delivery, 1)
    await _published(delivery, 6)
    assert app.metrics.value(HALTED, "counting.in") == 0


async def test_a_dead_letter_of_a_recreated_topic_is_not_taken_for_an_old_one(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    await delivery.start()

    async def parked(number: int) -> Sequence[Any]:
        async def so_many() -> Sequence[Any]:
            rows = await delivery.query('SELECT id, "offset" FROM parked_message ORDER BY timestamp_ms')
            return rows if len(rows) == number else []

        found: Sequence[Any] = await until(so_many, f"{number} are parked", 60.0)
        return found

    await delivery.feed([("a", Added(amount=1, fail=True))])
    await parked(1)
    await delivery.stop()
    await delivery.recreate_input()
    await delivery.feed([("a", Added(amount=2, fail=True))])
    await _read_again(delivery)
    assert [row.offset for row in await parked(2)] == [0, 0]
    await _read_again(delivery)  # the same log again: nothing is there twice
    await parked(2)


async def test_dead_letters_of_a_recreated_topic_are_replayed_in_the_order_of_time(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    app = await delivery.start()
    await delivery.feed([("b", Added(amount=1)), ("a", Added(amount=1, fail=True)), ("a", Added(amount=2))])

    async def both_wait() -> bool:
        return len(await delivery.query("SELECT id FROM parked_message")) == 2

    await until(both_wait, "both are parked", 60.0)
    async with app.database.begin() as connection:  # the second as if it were at the beginning of a log that was made an hour later
        await connection.execute(
            text("UPDATE parked_message SET \"offset\" = 0, timestamp_ms = timestamp_ms + 3600000 WHERE state = 'waiting'")
        )
    async with app.database.begin() as connection:
        waiting = await lock_parked_key(connection, "counting.in", "a")
    assert [(message.state, message.record.offset) for message in waiting] == [("parked", 1), ("waiting", 0)]
