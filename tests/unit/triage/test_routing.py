"""Where a new report goes by itself (T1, T2, T21)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.triage.builders import NOON, FakeRegister, a_register, an_agency, handlers, incoming, published, submitted
from triage.domain.report import FiledReport
from tuntas_contracts.base import Actor
from tuntas_contracts.cases import CaseForwarded, CaseReceived
from tuntas_contracts.vocabulary import CaseState, Role, Service, Transition
from tuntas_reference.profile import UnknownProfileError, load_profile

DAY = timedelta(days=1)
OUTBREAK: dict[str, Any] = {"category": "health", "title": "Wabah difteri", "body": "Sudah lima anak sakit."}


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({}, "no_agency_addressed"),
        ({"suggested_agency": "kota-bandung"}, "no_agency_addressed"),
        ({"addressed_agency": "tidak-ada"}, "unknown_agency"),
        ({"addressed_agency": "kemen-lama"}, "unknown_agency"),
        ({"misconduct": True}, "misconduct"),
        ({"misconduct": True, "addressed_agency": "kota-bandung"}, "misconduct"),
        ({"misconduct": True, "anonymous": True, "secret": True}, "misconduct"),
        ({"misconduct": True, **OUTBREAK}, "misconduct"),
        ({"anonymous": True, "secret": True, "addressed_agency": "kota-bandung"}, "anonymous_and_secret"),
        ({"anonymous": True, "secret": True, **OUTBREAK}, "anonymous_and_secret"),
    ],
)
def test_a_report_that_needs_a_verifier_waits_at_the_centre(report: dict[str, Any], reason: str) -> None:
    outcome = handlers().apply(None, incoming(submitted(**report)))

    [event] = published(outcome.outgoing)
    assert isinstance(event, CaseReceived)
    assert (event.reason, event.transition, event.version) == (reason, Transition.T1, 2)
    assert (event.state, event.owner) == (CaseState.RECEIVED, Service.TRIAGE)
    assert event.occurred_at == NOON
    case = outcome.state
    assert case is not None
    assert case.owned
    assert (case.waiting_reason, case.waiting_since, case.queued_as) == (reason, NOON, NOON)


@pytest.mark.parametrize("flags", [{}, {"anonymous": True}, {"secret": True}, {"category": "transport"}])
def test_a_report_that_addresses_an_enabled_agency_goes_there_itself(flags: dict[str, Any]) -> None:
    outcome = handlers().apply(None, incoming(submitted(addressed_agency="kota-ambon", **flags)))

    [event] = published(outcome.outgoing)
    assert isinstance(event, CaseForwarded)
    assert (event.transition, event.version, event.agency) == (Transition.T2, 2, "kota-ambon")
    assert (event.state, event.owner, event.time_zone) == (CaseState.AT_AGENCY, Service.DISPATCH, "Asia/Jayapura")
    assert event.occurred_at == NOON
    assert not event.published, "nobody has verified it"
    assert event.fast_track is None
    case = outcome.state
    assert case is not None
    assert not case.owned
    assert case.topic_owner is Service.TRIAGE, "until the hand-over is read back"
    assert case.queued_as is None


def test_a_fast_track_goes_straight_to_the_officer_in_charge() -> None:
    [event] = published(handlers().apply(None, incoming(submitted(addressed_agency="kota-bandung", **OUTBREAK))).outgoing)

    rule = load_profile().fast_track(**OUTBREAK)
    assert rule is not None
    assert isinstance(event, CaseForwarded)
    assert (event.transition, event.state, event.agency) == (Transition.T21, CaseState.DISPATCHED, "kemenkes")
    assert event.fast_track is not None
    assert event.fast_track.model_dump() == {
        "rule": "epidemic",
        "unit": rule.unit,
        "service_class": rule.service_class,
        "follow_up_limit": rule.first_follow_up_working_days,
        "completion_limit": rule.completion_working_days,
    }


@pytest.mark.parametrize(
    "register",
    [FakeRegister.of(an_agency("kota-bandung")), FakeRegister.of(an_agency("kota-bandung"), an_agency("kemenkes", enabled=False))],
)
def test_a_fast_track_to_nobody_leaves_the_report_to_the_ordinary_way(register: FakeRegister) -> None:
    made = handlers(register)
    [addressed] = published(made.apply(None, incoming(submitted(addressed_agency="kota-bandung", **OUTBREAK))).outgoing)
    [unaddressed] = published(made.apply(None, incoming(submitted(**OUTBREAK))).outgoing)

    assert isinstance(addressed, CaseForwarded)
    assert addressed.transition is Transition.T2
    assert isinstance(unaddressed, CaseReceived)
    assert unaddressed.reason == "no_agency_addressed"


def test_an_agency_that_is_disabled_meanwhile_gets_no_new_report() -> None:
    register = a_register()
    made = handlers(register)
    register.agencies["kota-bandung"] = an_agency("kota-bandung", enabled=False)

    [event] = published(made.apply(None, incoming(submitted(addressed_agency="kota-bandung"))).outgoing)

    assert isinstance(event, CaseReceived)
    assert event.reason == "unknown_agency"


def test_the_report_is_kept_as_it_was_submitted() -> None:
    event = submitted(addressed_agency="kota-bandung")
    outcome = handlers().apply(None, incoming(event))
    assert outcome.rows == (FiledReport(event.case_id, event.report),)


def test_a_report_under_a_profile_that_nobody_knows_is_not_decided() -> None:
    with pytest.raises(UnknownProfileError, match="permenpan-99"):
        handlers().apply(None, incoming(submitted(profile="permenpan-99")))


@pytest.mark.parametrize(
    ("typist", "reaches_at"),
    [
        (Actor(role=Role.CLERK, subject="clerk-1", agency="kota-ambon"), NOON),
        (Actor(role=Role.AGENCY_SYSTEM, subject="system-1", agency="kota-ambon"), NOON),
        (Actor(role=Role.CLERK, subject="clerk-2", agency="kota-bandung"), NOON + 30 * DAY),
        (Actor(role=Role.CLERK, subject="clerk-3"), NOON + 30 * DAY),
        (None, NOON + 30 * DAY),
    ],
)
@pytest.mark.parametrize("report", [{}, OUTBREAK])
def test_late_typing_makes_no_other_agency_late(typist: Actor | None, reaches_at: datetime, report: dict[str, Any]) -> None:
    """A report of NOON that is typed a month later: only who typed it itself has its clocks start at the receipt."""
    late = submitted(addressed_agency="kota-ambon", submitted_at=NOON + 30 * DAY, **report).model_copy(update={"actor": typist})
    [event] = published(handlers().apply(None, incoming(late)).outgoing)
    assert isinstance(event, CaseForwarded)
    # a fast track goes to another agency than the one that typed it
    assert event.occurred_at == (NOON + 30 * DAY if report else reaches_at)
    assert event.report.submitted_at == NOON + 30 * DAY


def test_the_national_clock_starts_at_the_receipt_and_knows_when_it_was_entered_and_by_which_rules() -> None:
    late = submitted(submitted_at=NOON + 30 * DAY)
    [event] = published(handlers().apply(None, incoming(late)).outgoing)
    assert isinstance(event, CaseReceived)
    assert (event.occurred_at, event.submitted_at, event.profile) == (NOON, NOON + 30 * DAY, late.report.profile)
