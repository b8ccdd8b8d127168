"""Which mails wait for the morning, and until when, in every zone of Indonesia."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.notices import NoticeKind
from notifier.domain.quiet_hours import waits_until
from tests.unit.notifier.builders import a_delivery

BY_TIME = {NoticeKind.REMINDER, NoticeKind.OVERDUE, NoticeKind.DEADLINE_WARNING, NoticeKind.DEADLINE_MISSED}
ZONES = ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_only_what_time_does_waits_and_only_from_midnight_to_seven(kind: NoticeKind, zone: str) -> None:
    delivery = a_delivery(kind=kind)
    morning = local("2026-11-25T07:00", zone)
    for at in ("2026-11-25T00:00", "2026-11-25T03:30", "2026-11-25T06:59:59"):
        assert waits_until(delivery, zone, local(at, zone)) == (morning if kind in BY_TIME else None)
    for at in ("2026-11-25T07:00", "2026-11-25T12:00", "2026-11-24T23:59:59"):
        assert waits_until(delivery, zone, local(at, zone)) is None


def test_a_case_that_closed_by_itself_is_notified_in_the_morning_and_one_that_its_reporter_closed_at_once() -> None:
    midnight = local("2026-11-25T00:00", "Asia/Jakarta")
    assert waits_until(a_delivery(kind=NoticeKind.CLOSED, reason="no_reply", rating=None), None, midnight) is not None
    assert waits_until(a_delivery(kind=NoticeKind.CLOSED, reason="satisfied", rating=5), None, midnight) is None


@pytest.mark.parametrize("zone", [None, "Asia/Atlantis", "../etc"])
def test_without_a_zone_that_is_known_the_national_one_counts(zone: str | None) -> None:
    assert waits_until(a_delivery(kind=NoticeKind.OVERDUE), zone, local("2026-11-25T06:00", "Asia/Jakarta")) == local(
        "2026-11-25T07:00", "Asia/Jakarta"
    )


@given(at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)), zone=st.sampled_from(ZONES))  # noqa: DTZ001
def test_nobody_waits_longer_than_seven_hours_and_never_twice(at: datetime, zone: str) -> None:
    delivery = a_delivery(kind=NoticeKind.OVERDUE)
    until = waits_until(delivery, zone, at)
    if until is not None:
        assert timedelta() < until - at <= timedelta(hours=7)
        assert waits_until(delivery, zone, until) is None
