"""What becomes of a delivery after an attempt."""

from datetime import timedelta

import pytest

from notifier.domain.delivery import RETRY_AFTER, Accepted, Deferred, NotTried, Refused, Result, Status, Uncertain, outcome_of
from tests.unit.notifier.builders import NOON, a_claimed


@pytest.mark.parametrize(("result", "status"), [(Accepted(), Status.SENT), (Refused("550"), Status.FAILED)])
def test_what_the_relay_decided_is_final(result: Result, status: Status) -> None:
    assert outcome_of(a_claimed(), result, NOON).status is status


def test_a_passing_failure_is_tried_again_ever_later_until_the_schedule_ends() -> None:
    waits = [outcome_of(a_claimed(attempt=n), Deferred("451"), NOON) for n in range(1, len(RETRY_AFTER) + 1)]
    assert all(s.status is Status.QUEUED for s in waits)
    assert [s.next_attempt_at - NOON for s in waits] == sorted(RETRY_AFTER)
    last = outcome_of(a_claimed(attempt=len(RETRY_AFTER) + 1), Deferred("451"), NOON)
    assert (last.status, last.reason) == (Status.FAILED, "too_many_attempts: 451")


def test_what_was_not_tried_does_not_count() -> None:
    waiting = outcome_of(a_claimed(attempt=3), NotTried("intake is away", timedelta(seconds=5)), NOON)
    assert (waiting.status, waiting.attempts, waiting.next_attempt_at) == (Status.QUEUED, 2, NOON + timedelta(seconds=5))


def test_an_uncertain_end_is_repeated_once_and_never_twice() -> None:
    first = outcome_of(a_claimed(), Uncertain("dropped"), NOON)
    assert (first.status, first.repeats) == (Status.QUEUED, 1)
    second = outcome_of(a_claimed(attempt=2, repeats=1), Uncertain("dropped"), NOON)
    assert (second.status, second.reason) == (Status.FAILED, "outcome_unknown: dropped")
