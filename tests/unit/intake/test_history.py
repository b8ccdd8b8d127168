"""The history that a reporter reads, and where the case stands after it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.application.handlers import follow
from intake.application.ports import RebuiltReport
from intake.domain.history import CaseStatus, HistoryEntry, case_status, entry_of, reply_possible_until
from intake.domain.labels import BUCKETS, EVENTS, STATES
from intake.entrypoints.schemas import HistoryItem
from intake.entrypoints.subscriptions import status
from sla_monitor.domain.deadlines import DeadlinePlanner
from tests.unit.intake.builders import CASE_ID, NOON, REPORTER_REF, accepted, answered, content, event, forwarded, incoming
from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.topology import OWNER_EVENTS
from tuntas_contracts.vocabulary import CaseState, Clock, Service
from tuntas_reference.calendar_files import load_calendar
from tuntas_reference.profile import DEFAULT_PROFILE


def history(*events: CaseEvent) -> list[HistoryEntry]:
    return [entry_of(e) for e in events]


def by_agency(kind: type[CaseEvent], state: CaseState, **fields: object) -> CaseEvent:
    return event(kind, 5, state, agency="dinas-pu", **fields)


def archived() -> CaseEvent:
    return event(cases.CaseArchived, 2, CaseState.ARCHIVED, reason="too_general", note="Sebutkan lokasinya", owner=Service.TRIAGE)


def test_before_any_event_the_case_is_received_by_triage() -> None:
    assert case_status([]) == CaseStatus(1, CaseState.RECEIVED, Service.TRIAGE, None, None, "Asia/Jakarta")


def test_an_answered_case_lies_with_its_agency() -> None:
    now = case_status(history(forwarded(), accepted(), answered()))
    assert (now.version, now.state, now.agency) == (4, CaseState.RESPONDED, "dinas-pu")
    assert (now.answered_at, now.time_zone) == (NOON, "Asia/Makassar")


def test_a_returned_case_lies_with_no_agency() -> None:
    returned = event(cases.CaseReturned, 3, CaseState.RECEIVED, agency="dinas-pu", reason="bukan wewenang", bounces=1, arbitration=False)
    assert case_status(history(forwarded(), returned)).agency is None


def test_a_refused_input_changes_neither_state_nor_agency() -> None:
    refused = event(cases.InputRefused, 5, CaseState.RESPONDED, code="window_over", detail="Waktu habis")
    now = case_status(history(forwarded(), accepted(), answered(), refused))
    assert (now.state, now.agency, now.version) == (CaseState.RESPONDED, "dinas-pu", 5)


@pytest.mark.parametrize(
    ("published", "shown"),
    [
        (archived(), {"reason": "too_general", "text": "Sebutkan lokasinya"}),
        (accepted(), {"unit": "bina-marga", "completion_limit_working_days": 14, "agency": "dinas-pu"}),
        (answered(), {"text": "Jalan sudah diperbaiki.", "evidence": ["foto-1"], "transition": "T15"}),
        (
            event(cases.FollowUpRecorded, 4, CaseState.IN_PROGRESS, agency="dinas-pu", note="Petugas ke lokasi"),
            {"text": "Petugas ke lokasi"},
        ),
        (by_agency(cases.CaseResumed, CaseState.IN_PROGRESS, reply="Belum"), {"text": "Belum"}),
        (
            event(cases.CaseClosed, 6, CaseState.CLOSED, agency="dinas-pu", reason="satisfied", rating=4),
            {"reason": "satisfied", "rating": 4},
        ),
        (
            event(cases.InputRefused, 6, CaseState.CLOSED, code="closed", detail="Sudah selesai"),
            {"reason": "closed", "text": "Sudah selesai"},
        ),
    ],
)
def test_the_reporter_reads_what_each_event_says(published: CaseEvent, shown: dict[str, object]) -> None:
    item = HistoryItem.of(entry_of(published)).model_dump(mode="json")
    assert {name: item[name] for name in shown} == shown


def test_every_state_and_every_event_has_a_name_for_people() -> None:
    assert set(STATES) == set(BUCKETS) == set(CaseState)
    assert {kind.__name__ for kind in OWNER_EVENTS} <= set(EVENTS)


@pytest.mark.parametrize(
    ("answered_at", "last_day"),
    [
        (datetime(2026, 3, 4, 5, 0, tzinfo=UTC), datetime(2026, 3, 25, 23, 59, 59)),  # noqa: DTZ001  over Nyepi and Idul Fitri
        (datetime(2026, 3, 6, 20, 0, tzinfo=UTC), datetime(2026, 3, 27, 23, 59, 59)),  # noqa: DTZ001  already Saturday there
    ],
)
def test_a_reply_is_possible_for_ten_working_days_of_the_agency(answered_at: datetime, last_day: datetime) -> None:
    shown = reply_possible_until(load_calendar(), DEFAULT_PROFILE, answered_at, "Asia/Makassar")
    assert shown == last_day.replace(tzinfo=ZoneInfo("Asia/Makassar"))


def test_an_owners_event_becomes_a_line_of_the_history() -> None:
    outcome = follow(None, incoming(answered()))
    assert outcome.rows == [entry_of(answered())]
    assert outcome.outgoing == ()


def test_a_submission_that_came_back_puts_the_lost_row_back_without_personal_data() -> None:
    submitted = event(cases.ReportSubmitted, 1, CaseState.RECEIVED, report=content(anonymous=True), owner=Service.TRIAGE)
    [row] = follow(None, incoming(submitted, replayed=True)).rows
    assert isinstance(row, RebuiltReport)
    assert (row.case_id, row.reporter_ref, row.tracking_id, row.anonymous) == (CASE_ID, REPORTER_REF, "5V16-2YYA-9HS6", True)


def test_everything_that_intake_reads_can_be_followed() -> None:
    assert set(status().types) == {*OWNER_EVENTS, cases.ReporterErased}


@given(
    answered_at=st.datetimes(datetime(2019, 1, 1), datetime(2028, 10, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]),
)
def test_the_last_second_to_reply_is_the_one_before_the_deadline_that_the_clocks_run_to(answered_at: datetime, zone: str) -> None:
    due = DeadlinePlanner(load_calendar()).plan(DEFAULT_PROFILE, Clock.C6, answered_at, zone).due_at
    assert reply_possible_until(load_calendar(), DEFAULT_PROFILE, answered_at, zone) == due - timedelta(seconds=1)


@pytest.mark.parametrize(("profile", "zone"), [("permen-5-2025", "Asia/Jakarta"), (DEFAULT_PROFILE, "Asia/Atlantis")])
def test_of_a_profile_or_zone_that_this_release_does_not_know_no_date_is_shown(profile: str, zone: str) -> None:
    assert reply_possible_until(load_calendar(), profile, NOON, zone) is None
