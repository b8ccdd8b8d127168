"""Who may hand a report in over which channel, and how old its matter is."""

from datetime import UTC, date, datetime

import pytest

from intake.domain.submission import is_future, is_manual, is_stale
from tuntas_contracts.vocabulary import Channel, Classification

# 2026-03-31 17:30 UTC is already 1 April in Jakarta
NIGHT = datetime(2026, 3, 31, 17, 30, tzinfo=UTC)


def test_only_web_and_mobile_are_open_to_everybody() -> None:
    assert {channel for channel in Channel if not is_manual(channel)} == {Channel.WEB, Channel.MOBILE}


@pytest.mark.parametrize(("incident", "stale"), [(date(2026, 3, 2), False), (date(2026, 3, 1), True), (None, False)])
def test_a_complaint_is_stale_after_thirty_days_by_the_national_calendar(incident: date | None, stale: bool) -> None:
    assert is_stale(Classification.COMPLAINT, incident, NIGHT, 30) is stale


def test_only_complaints_grow_stale() -> None:
    assert not is_stale(Classification.INFORMATION, date(2020, 1, 1), NIGHT, 30)


def test_a_day_is_future_only_where_it_has_begun_nowhere_in_indonesia() -> None:
    evening = datetime(2026, 3, 31, 15, 30, tzinfo=UTC)  # 22:30 in Jakarta, 00:30 of 1 April in Jayapura
    assert not is_future(date(2026, 4, 1), evening)
    assert is_future(date(2026, 4, 2), evening)
