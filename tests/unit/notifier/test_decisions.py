"""Which event gets a notice, and to whom, and that nothing personal is kept for it."""

from typing import Any

import pytest

from notifier.domain.decisions import notice_of, notices_of_deadline
from notifier.domain.notices import NoticeKind
from tests.unit.notifier.builders import (
    accepted,
    answered,
    archived,
    closed,
    fast_tracked,
    followed_up,
    forwarded,
    handling_started,
    missed,
    received,
    refused,
    resumed,
    returned,
    submitted,
    warning,
)
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Clock, Role, Service, WarningLevel

TOLD: list[tuple[CaseEvent, NoticeKind | None]] = [
    (submitted(), NoticeKind.RECEIPT),
    (received(), None),
    (forwarded(), NoticeKind.FORWARDED),
    (fast_tracked(), NoticeKind.FORWARDED),
    (accepted(), None),
    (handling_started(), None),
    (followed_up(), None),
    (returned(), NoticeKind.RETURNED),
    (archived(), NoticeKind.ARCHIVED),
    (answered(), NoticeKind.ANSWERED),
    (resumed(), NoticeKind.RESUMED),
    (closed(), NoticeKind.CLOSED),
    (refused(), NoticeKind.INPUT_REFUSED),
]


@pytest.mark.parametrize(("event", "kind"), TOLD, ids=[type(e).__name__ + str(n) for n, (e, _) in enumerate(TOLD)])
def test_the_reporter_is_notified_of_what_concerns_him(event: CaseEvent, kind: NoticeKind | None) -> None:
    notice = notice_of(event)
    assert (notice.kind if notice else None) == kind
    assert notice is None or notice.recipient is Role.REPORTER


def test_every_event_that_the_topology_lets_the_notifier_read_is_decided_upon() -> None:
    assert {type(event) for event, _ in TOLD} == set(CASES.readers[Service.NOTIFIER])


@pytest.mark.parametrize(
    ("role", "code", "notified"),
    [
        (Role.REPORTER, "window_over", True),
        (Role.CLERK, "window_over", True),
        (Role.SYSTEM, "case_archived", True),
        (Role.LIAISON_OFFICER, "not_allowed", False),
    ],
)
def test_a_refused_input_gets_a_notice_to_its_reporter_only(role: Role, code: str, notified: bool) -> None:
    assert (notice_of(refused(role=role, code=code)) is not None) is notified


def test_what_is_kept_for_a_notice_holds_no_text_that_people_wrote() -> None:
    for event in (submitted(), forwarded(), returned(), answered(), resumed()):
        notice = notice_of(event)
        assert notice is not None
        kept = str(notice.variables)
        for word in ("Siti", "lampu", "Lampu", "padam", "kami"):
            assert word not in kept


def test_each_role_that_is_named_is_notified_once_of_a_missed_deadline() -> None:
    event = missed(Clock.C4, Role.LIAISON_OFFICER, Role.HEAD, Role.REPORTER, Role.HEAD)
    notified = [(n.kind, n.recipient, n.agency) for n in notices_of_deadline(event)]
    assert notified == [
        (NoticeKind.DEADLINE_MISSED, Role.LIAISON_OFFICER, "kemenkes"),
        (NoticeKind.DEADLINE_MISSED, Role.HEAD, "kemenkes"),
        (NoticeKind.OVERDUE, Role.REPORTER, "kemenkes"),
    ]


def test_a_warning_goes_to_officers_and_a_reminder_to_the_reporter() -> None:
    event = warning(Clock.C6, WarningLevel.REMINDER, Role.REPORTER, Role.AGENCY_ADMINISTRATOR)
    kinds: Any = {n.recipient: n.kind for n in notices_of_deadline(event)}
    assert kinds == {Role.REPORTER: NoticeKind.REMINDER, Role.AGENCY_ADMINISTRATOR: NoticeKind.DEADLINE_WARNING}
