"""How many requests are answered at once, and how many bytes of bodies are held."""

import pytest

from tuntas_chassis.http.admission import SMALL_BODY, Admission
from tuntas_chassis.http.problems import Overloaded


def test_a_request_above_the_limit_is_refused_until_another_is_over() -> None:
    admission = Admission(2)
    first, second, third = (admission.turn() for _ in range(3))
    first.begin()
    first.begin()
    second.begin()
    with pytest.raises(Overloaded) as caught:
        third.begin()
    assert caught.value.status_code == 503
    assert caught.value.headers == {"Retry-After": "1"}
    third.end()
    first.end()
    again = admission.turn()
    again.begin()


def test_a_request_still_being_sent_takes_no_place() -> None:
    admission = Admission(1)
    slow = [admission.turn() for _ in range(100)]
    for turn in slow:
        turn.received(10)
    quick = admission.turn()
    quick.received(100)
    quick.begin()
    quick.end()
    for turn in slow:
        turn.end()


def test_large_bodies_are_bounded_together_and_small_ones_are_always_taken() -> None:
    admission = Admission(1_000, body_bytes=SMALL_BODY * 4)
    large = admission.turn()
    large.received(SMALL_BODY * 4)
    other = admission.turn()
    with pytest.raises(Overloaded):
        other.received(SMALL_BODY + 1)
    other.end()
    small = admission.turn()
    small.received(SMALL_BODY)
    small.end()
    large.end()
    admission.turn().received(SMALL_BODY * 4)
