"""What a message leads to: facts kept, deliveries queued, nothing twice."""

from datetime import timedelta

import pytest

from notifier.application.handlers import on_agency, on_case_event, on_deadline
from notifier.domain.case_facts import CaseFacts
from notifier.domain.delivery import Delivery
from notifier.domain.notices import NoticeKind
from tests.unit.notifier.builders import (
    CASE_ID,
    NOON,
    REPORTER_REF,
    TRACE,
    answered,
    archived,
    forwarded,
    incoming,
    missed,
    received,
    registered,
    returned,
    submitted,
)
from tuntas_contracts.vocabulary import Clock, Role


def after(*events: object) -> CaseFacts | None:
    facts: CaseFacts | None = None
    for event in events:
        facts = on_case_event(facts, incoming(event)).state or facts  # type: ignore[arg-type]
    return facts


def test_a_submission_is_remembered_without_personal_data_and_receipted() -> None:
    outcome = on_case_event(None, incoming(submitted()))
    assert outcome.state == CaseFacts(CASE_ID, 1, REPORTER_REF, "2611-7KQ4-XM", "permenpan-62-2018")
    (delivery,) = outcome.rows
    assert isinstance(delivery, Delivery)
    assert (delivery.kind, delivery.recipient, delivery.case_id, delivery.traceparent) == (
        NoticeKind.RECEIPT,
        Role.REPORTER,
        CASE_ID,
        TRACE,
    )


def test_the_same_message_gives_the_same_notice_and_another_message_another() -> None:
    first, again, other = (on_case_event(None, incoming(submitted(), name)).rows[0] for name in ("m1", "m1", "m2"))
    assert first == again
    assert isinstance(first, Delivery)
    assert isinstance(other, Delivery)
    assert first.notice_id != other.notice_id


def test_an_event_of_a_known_version_changes_nothing_and_tells_nobody() -> None:
    facts = after(submitted(), forwarded())
    again = on_case_event(facts, incoming(forwarded(), "another id"))
    assert again.state is None
    assert not again.rows


def test_the_agency_that_has_the_case_is_followed() -> None:
    assert [f.agency for f in (after(submitted()), after(submitted(), forwarded()), after(submitted(), forwarded(), returned())) if f] == [
        None,
        "kemenkes",
        None,
    ]


def test_an_ended_case_is_known_as_such() -> None:
    facts = after(submitted(), received(), archived())
    assert facts is not None
    assert facts.ended


def test_an_event_of_an_unknown_case_is_notified_although_its_facts_are_not_known_yet() -> None:
    outcome = on_case_event(None, incoming(answered()))
    assert outcome.state is None
    assert [row.kind for row in outcome.rows if isinstance(row, Delivery)] == [NoticeKind.ANSWERED]


def test_a_missed_deadline_makes_one_delivery_a_role_each_with_its_own_id() -> None:
    outcome = on_deadline(None, incoming(missed(Clock.C4, Role.HEAD, Role.REPORTER)))
    ids = {row.notice_id for row in outcome.rows if isinstance(row, Delivery)}
    assert len(ids) == 2


def test_a_message_of_the_wrong_type_is_an_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="AgencyRegistered"):
        on_case_event(None, incoming(registered()))


def test_the_latest_entry_of_the_register_holds_whatever_the_order() -> None:
    new = on_agency(None, incoming(registered(name="Baru", occurred_at=NOON + timedelta(days=1)))).state
    assert new is not None
    assert on_agency(new, incoming(registered(name="Lama"))).state is None
