"""What is old gets no second notice."""

from datetime import UTC, datetime, timedelta

import pytest

from notifier.application.handlers import on_case_event, on_deadline, unless_too_old
from notifier.domain.age import AgeLimit
from notifier.domain.case_facts import CaseFacts
from notifier.metrics import METRICS, TOO_OLD
from tests.unit.notifier.builders import CASE_ID, incoming, missed, submitted
from tuntas_chassis.ids import time_of
from tuntas_chassis.messaging.messages import Incoming
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import Clock, Role

RECEIVED_AT = datetime.fromtimestamp(time_of(CASE_ID), UTC)


class StoppedClock:
    """Stands at one moment."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def from_broker(self, timestamp_ms: int) -> datetime:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


LIMIT = AgeLimit(timedelta(days=7), timedelta(days=400))


@pytest.mark.parametrize(
    ("happened", "published", "read", "too_old"),
    [
        (0, 0, 0, False),
        (0, 0, 7, False),
        (0, 0, 7.1, True),  # it lay unread, or was read before
        (300, 300, 301, False),
        (0, 390, 391, False),  # late
        (0, 401, 401, True),  # whether it was notified before, nobody knows any more
        (-900, 1, 1, False),  # a deadline before its report was entered by hand
    ],
)
def test_an_event_is_too_old_by_its_age_on_the_topic_and_by_what_is_remembered(
    happened: float, published: float, read: float, too_old: bool
) -> None:
    def day(number: float) -> datetime:
        return RECEIVED_AT + timedelta(days=number)

    assert LIMIT.is_too_old(day(read), case_began=day(0), occurred_at=day(happened), appended_at=day(published)) is too_old


def at_its_time(message: Incoming) -> Incoming:
    return message._replace(envelope=message.envelope._replace(time=RECEIVED_AT), appended_at=RECEIVED_AT)


def test_an_old_event_is_remembered_and_nobody_is_notified() -> None:
    metrics = MetricSet(METRICS)
    apply = unless_too_old(on_case_event, LIMIT, StoppedClock(RECEIVED_AT + timedelta(days=8)), metrics)
    outcome = apply(None, at_its_time(incoming(submitted())))
    assert isinstance(outcome.state, CaseFacts)
    assert outcome.rows == ()
    assert metrics.value(TOO_OLD, "receipt") == 1


def test_each_reader_of_an_old_deadline_is_counted() -> None:
    metrics = MetricSet(METRICS)
    apply = unless_too_old(on_deadline, LIMIT, StoppedClock(RECEIVED_AT + timedelta(days=8)), metrics)
    assert apply(None, at_its_time(incoming(missed(Clock.C4, Role.HEAD, Role.REPORTER)))).rows == ()
    assert metrics.value(TOO_OLD, "deadline_missed") == metrics.value(TOO_OLD, "overdue") == 1


def test_a_young_event_is_notified() -> None:
    apply = unless_too_old(on_case_event, LIMIT, StoppedClock(RECEIVED_AT + timedelta(days=1)), MetricSet(METRICS))
    assert len(apply(None, at_its_time(incoming(submitted()))).rows) == 1
