"""Up to which time each partition is read, and what the clocks of brokers prove."""

from datetime import UTC, datetime, timedelta

import pytest

from tuntas_chassis.messaging.read_bounds import ReadBounds
from tuntas_chassis.messaging.watermark_sender import skew_s

T = datetime(2026, 3, 2, tzinfo=UTC)
P, Q = ("a", 0), ("b", 0)


def at(minutes: int) -> datetime:
    return T + timedelta(minutes=minutes)


def test_a_partition_read_to_its_end_is_not_behind() -> None:
    assert ReadBounds().look(T, [P, Q], {P: 3, Q: 0}, {P: 3}) == {}


def test_one_partition_behind_does_not_affect_the_others() -> None:
    assert ReadBounds().look(T, [P, Q], {P: 3, Q: 5}, {P: 3, Q: 4}) == {Q: None}


def test_once_the_end_of_an_earlier_look_is_passed_all_before_that_look_is_read_however_much_has_come() -> None:
    bounds = ReadBounds()
    assert bounds.look(at(0), [P], {P: 10}, {P: 4}) == {P: None}
    assert bounds.look(at(1), [P], {P: 50}, {P: 9}) == {P: None}
    assert bounds.look(at(2), [P], {P: 90}, {P: 12}) == {P: at(0)}
    assert bounds.look(at(3), [P], {P: 130}, {P: 95}) == {P: at(2)}
    assert bounds.look(at(4), [P], {P: 130}, {P: 130}) == {}


def test_a_partition_that_gives_no_answer_stays_where_it_was_known_to_be() -> None:
    bounds = ReadBounds()
    assert bounds.look(at(0), [P], {}, {P: 4}) == {P: None}
    bounds.look(at(1), [P], {P: 10}, {P: 4})
    assert bounds.look(at(2), [P], {}, {P: 10}) == {P: at(1)}
    assert bounds.look(at(9), [P], {}, {P: 10}) == {P: at(1)}


@pytest.mark.parametrize(
    ("append_ms", "sent_at", "acknowledged_at", "skew"),
    [
        (100_500, 100.2, 100.9, 0.0),  # between both: nothing is proved
        (103_000, 100.2, 100.9, 2.1),
        (98_000, 100.2, 100.9, -2.199),
        (100_200, 100.2, 100.2, 0.0),  # within the millisecond
    ],
)
def test_only_a_certain_difference_counts_as_a_brokers_skew(append_ms: int, sent_at: float, acknowledged_at: float, skew: float) -> None:
    assert skew_s(append_ms, sent_at, acknowledged_at) == pytest.approx(skew, abs=1e-6)
