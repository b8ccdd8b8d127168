"""Too much parked in a minute halts a partition, once, until an operator resumes it."""

from tuntas_chassis.messaging.dead_letters import DeadLetterLimit

ONE, OTHER = ("topic", 0), ("topic", 1)


def test_a_partition_is_halted_once_beyond_the_limit_and_not_at_it() -> None:
    limit = DeadLetterLimit(per_minute=10)
    assert not limit.count(ONE, 10)
    assert limit.count(ONE, 1)
    assert not limit.count(ONE, 50), "it is halted already"
    assert limit.halted == {ONE}


def test_partitions_are_counted_apart() -> None:
    limit = DeadLetterLimit(per_minute=10)
    assert not limit.count(ONE, 6)
    assert not limit.count(OTHER, 6)
    assert limit.halted == set()


def test_one_batch_may_be_enough() -> None:
    assert DeadLetterLimit(per_minute=10).count(ONE, 11)


def test_a_partition_without_parked_messages_is_not_halted() -> None:
    limit = DeadLetterLimit(per_minute=1)
    assert not any(limit.count(ONE, 0) for _ in range(100))


def test_after_resuming_counting_starts_again() -> None:
    limit = DeadLetterLimit(per_minute=10)
    limit.count(ONE, 11)
    assert limit.resume() == {ONE}
    assert limit.halted == set()
    assert not limit.count(ONE, 10)
    assert limit.count(ONE, 1), "and it can be halted again"
