"""What the relay sets aside: which shards belong to a partition, when a destination is tried again, and what a relapse costs."""

from tuntas_chassis.messaging.outbox import key_hash
from tuntas_chassis.messaging.set_aside import FIRST_RETRY_S, LAST_RETRY_S, SetAside, shards_of_partition


def test_the_shards_of_a_partition_hold_each_of_its_keys_and_no_more_than_they_must() -> None:
    for partitions in (1, 3, 8, 24, 36):
        for number in range(500):
            hashed = key_hash(f"key {number}".encode())
            assert hashed % 24 in shards_of_partition(hashed % partitions, partitions, range(24), 24)
    assert shards_of_partition(5, 24, range(24), 24) == {5}
    assert shards_of_partition(0, 1, [3, 9], 24) == {3, 9}
    assert shards_of_partition(1, 8, range(24), 24) == {1, 9, 17}


def test_a_destination_is_tried_again_with_backoff_and_within_ten_seconds_however_often_it_failed() -> None:
    aside = SetAside()
    waits = [aside.hold("a", [1, 2], 100.0, silent=False).retry_at - 100.0 for _ in range(12)]
    assert waits[:3] == [FIRST_RETRY_S, 1.0, 2.0]
    assert waits == sorted(waits)
    assert waits[-1] == LAST_RETRY_S < 10
    (hold,) = aside.holds
    assert aside.due(hold.retry_at - 0.1, silent=False, at_most=9) == []
    assert aside.due(hold.retry_at, silent=False, at_most=9) == [hold]
    assert aside.due(hold.retry_at, silent=True, at_most=9) == []


def test_part_of_a_hold_that_fails_alone_is_held_alone() -> None:
    aside = SetAside()
    whole = aside.hold("cases", range(4), 0.0, silent=False, failed=False)
    part = aside.hold("cases", [2], 0.0, silent=True)
    assert whole.shards == {0, 1, 3}
    aside.lift(whole, 1.0)
    assert aside.places == [("cases", 2)]
    assert ("cases", 2) in aside
    assert ("cases", 1) not in aside
    assert aside.shards_by_topic() == {"cases": part.shards}


def test_a_silent_destination_that_comes_back_soon_after_it_was_lifted_is_tried_less_and_less() -> None:
    aside, now, waits = SetAside(), 0.0, []
    for _ in range(6):
        hold = aside.hold("a", [1], now, silent=True)
        waits.append(hold.retry_at - now)
        now = hold.retry_at
        aside.lift(hold, now)
    assert waits == sorted(set(waits))
    hold = aside.hold("a", [1], now + 3_600, silent=True)
    assert hold.retry_at - now - 3_600 == FIRST_RETRY_S, "what flowed for long is not held against it"


def test_shards_that_are_no_longer_ours_are_forgotten() -> None:
    aside = SetAside()
    aside.hold("a", [1, 2], 0.0, silent=False)
    aside.keep_only([2])
    assert aside.places == [("a", 2)]
