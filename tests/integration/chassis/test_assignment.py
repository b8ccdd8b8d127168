"""Between the moment at which a partition is assigned and the moment at which the database has said where to continue."""

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tuntas_chassis.messaging.subscription import Record


async def _records(delivery: Delivery, first: int, last: int) -> Sequence[Record]:
    """What the only partition holds, as a batch."""
    partition = TopicPartition(delivery.inputs, 0)
    async with AIOKafkaConsumer(bootstrap_servers=delivery.servers.bootstrap) as kafka:
        kafka.assign([partition])
        kafka.seek(partition, first)
        found: list[Record] = []
        while len(found) <= last - first:
            found.append(await kafka.getone())
        return found


async def _one_partition_with(make: Callable[..., Delivery], number: int) -> Delivery:
    delivery = make(partitions=1)
    await delivery.feed([(f"key-{n}", Added(amount=1)) for n in range(number)])
    return delivery


async def test_a_batch_that_came_before_leaves_nothing_out(make: Callable[..., Delivery]) -> None:
    """Kafka's offset is ahead of a database that was put back; the client begins to fetch there at once."""
    delivery = await _one_partition_with(make, 10)
    app = delivery.app()
    await app.migrate()
    await app._consumers["in"].process(await _records(delivery, 5, 9))
    assert await delivery.totals() == {}
    await delivery.run(app)
    assert await delivery.totals() == {f"key-{n}": (1, 1) for n in range(10)}


async def test_a_batch_that_ends_after_a_rebalance_moves_no_position_back(make: Callable[..., Delivery]) -> None:
    """It belongs to the time before: another replica has read on, and what is read already does not come again."""
    delivery = await _one_partition_with(make, 10)
    app = await delivery.start()
    consumer, behind = app._consumers["in"], await _records(delivery, 0, 4)
    await consumer.process(behind)
    assert consumer.caught_up
    assert consumer.lag() == 0

    await consumer.on_partitions_revoked({TopicPartition(delivery.inputs, 0)})
    await consumer.process(behind)
    assert consumer._positions == {}
