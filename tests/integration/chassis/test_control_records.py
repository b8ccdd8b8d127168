"""Transactions end in markers that no consumer is given: who has handled all before them has read to the end."""

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.support.counting import Added
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.waiting import until
from tuntas_chassis.clock import SystemClock
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.read_progress import DelayingConsumer, ReadProgress
from tuntas_contracts.envelope import Envelope

WITHIN_S = 90.0


async def _transaction(delivery: Delivery, keys: Sequence[str], *, aborted: bool = False) -> None:
    """One message for each key, in one transaction on the input topic."""
    producer = AIOKafkaProducer(bootstrap_servers=delivery.servers.bootstrap, transactional_id=str(new_id()))
    await producer.start()
    try:
        await producer.begin_transaction()
        for key in keys:
            envelope = Envelope(new_id(), "tests", "Added", key, A_MONDAY)
            await producer.send_and_wait(delivery.inputs, b'{"amount": 1}', key.encode(), headers=envelope.headers())
        await (producer.abort_transaction() if aborted else producer.commit_transaction())
    finally:
        await producer.stop()


async def _ends(delivery: Delivery) -> dict[tuple[str, int], int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=delivery.servers.bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(delivery.inputs, p) for p in range(delivery.partitions)])
    finally:
        await consumer.stop()
    return {(p.topic, p.partition): end for p, end in ends.items() if end}


async def _stored_to_the_end(delivery: Delivery) -> None:
    """Wait until the database's positions are where the topic ends."""
    ends = await _ends(delivery)

    async def stored() -> bool:
        rows = await delivery.query("SELECT topic, partition, position FROM consumer_offset")
        return {(row.topic, row.partition): row.position for row in rows} == ends

    await until(stored, f"all is stored as read to {ends}", WITHIN_S)


async def _delete_before(delivery: Delivery, offset: int) -> None:
    """As retention would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=delivery.servers.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(delivery.inputs, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


async def test_a_second_replica_is_ready_though_transactions_end_the_topic(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    await _transaction(delivery, ["a"] * 5)
    await delivery.start()
    await delivery.start()
    await _stored_to_the_end(delivery)
    assert await delivery.totals() == {"a": (5, 5)}


async def test_transactional_records_are_read_to_the_end_while_both_replicas_run(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=2)
    for _ in range(2):
        await delivery.start()
    for _ in range(3):
        await _transaction(delivery, ["a", "b", "c"])
        await _stored_to_the_end(delivery)
    await delivery.feed([("a", Added(amount=1))])
    await _stored_to_the_end(delivery)
    assert await delivery.totals() == {"a": (4, 4), "b": (3, 3), "c": (3, 3)}
    for app, _ in delivery.running:
        assert app._consumers["in"].lag() == 0
        assert not app._consumers["in"]._behind()


async def test_an_aborted_transaction_is_read_to_its_end(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    await _transaction(delivery, ["a"] * 5, aborted=True)
    for _ in range(2):
        await delivery.start()
    await _stored_to_the_end(delivery)


async def test_a_partition_that_holds_only_a_marker_is_read(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    await _transaction(delivery, ["a"] * 5)
    await _delete_before(delivery, 5)
    for _ in range(2):
        await delivery.start()
    await _stored_to_the_end(delivery)
    assert await delivery.totals() == {}


async def test_records_that_expired_unread_block_nothing(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    await delivery.start()
    await delivery.feed([("a", Added(amount=1))])
    await _stored_to_the_end(delivery)
    await delivery.stop()
    await _transaction(delivery, ["a"] * 5)
    await _delete_before(delivery, 7)
    for _ in range(2):
        await delivery.start()
    await _stored_to_the_end(delivery)
    await delivery.feed([("a", Added(amount=1))])
    await _stored_to_the_end(delivery)
    assert await delivery.totals() == {"a": (2, 2)}


async def test_a_transactional_producer_does_not_count_as_late(make: Callable[..., Delivery]) -> None:
    delivery = make(partitions=1)
    app = await delivery.start()
    progress = ReadProgress([DelayingConsumer("counting.in", [delivery.inputs])], "another topic", app.database)
    producer = AIOKafkaProducer(bootstrap_servers=delivery.servers.bootstrap)
    await producer.start()
    await _transaction(delivery, ["a"] * 5)
    await producer.client.set_topics([delivery.inputs])
    since = SystemClock().now()

    async def all_is_read() -> bool:
        read_until = (await progress.look(producer.client, SystemClock().now())).everything
        return read_until is not None and read_until > since

    try:
        await until(all_is_read, "nothing is unread", WITHIN_S)
    finally:
        await producer.stop()
