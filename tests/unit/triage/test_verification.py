"""What a national administrator may do with a case (T3, T13)."""

from typing import Any

import pytest

from tests.unit.triage.builders import (
    CASE_ID,
    LATER,
    OFFICER,
    a_report,
    an_id,
    applied,
    handed_over,
    handlers,
    published,
    returned,
    waiting,
)
from triage.application.handlers import Handlers
from triage.domain.case import Case
from triage.domain.verification import Archive, InvalidCommand, Verify
from tuntas_contracts.cases import CaseArchived, CaseForwarded
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Service, Transition


def forwarded(made: Handlers, case: Case, **command: Any) -> CaseForwarded:
    outcome = made.forward(case, a_report(secret=case.secret), Verify(**command), OFFICER, LATER, an_id("command"))
    [event] = published(outcome.outgoing)
    assert isinstance(event, CaseForwarded)
    assert outcome.state is not None
    assert (outcome.state.version, outcome.state.owner, outcome.state.queued_as) == (event.version, Service.DISPATCH, None)
    return event


def archived(made: Handlers, case: Case, command: Archive) -> CaseArchived:
    [event] = published(made.archive(case, command, OFFICER, LATER).outgoing)
    assert isinstance(event, CaseArchived)
    return event


@pytest.mark.parametrize("secret", [True, False])
def test_a_verified_case_goes_to_the_agency_and_is_published_unless_secret(secret: bool) -> None:
    made = handlers()
    event = forwarded(made, waiting(made, secret=secret), agency="kota-ambon")

    assert (event.transition, event.version, event.occurred_at) == (Transition.T3, 3, LATER)
    assert (event.agency, event.time_zone, event.owner) == ("kota-ambon", "Asia/Jayapura", Service.DISPATCH)
    assert event.published is not secret
    assert not event.arbitrated
    assert (event.actor, event.input_id) == (OFFICER, an_id("command"))


def test_what_the_verifier_edits_is_forwarded_and_the_rest_stays() -> None:
    made = handlers()
    case = waiting(made)
    event = forwarded(made, case, agency="kemenkes", title="Antrean obat", category="health", classification=Classification.INFORMATION)

    assert (event.report.title, event.report.category) == ("Antrean obat", "health")
    assert event.report.classification is Classification.INFORMATION
    assert event.report.body == a_report().body


def test_an_edit_is_still_there_when_the_case_comes_back() -> None:
    made = handlers()
    case = made.forward(waiting(made), a_report(), Verify("kota-bandung", title="Judul baru"), OFFICER, LATER).state
    back = applied(made, returned(4), case=case)
    event = forwarded(made, back, agency="kemenhub")
    assert event.report.title == "Judul baru"


@pytest.mark.parametrize(
    ("command", "code", "named"),
    [
        (Verify("tidak-ada"), "unknown_agency", "tidak-ada"),
        (Verify("kemen-lama"), "disabled_agency", "kemen-lama"),
        (Verify("kemenkes", category="health.nothing"), "unknown_category", "health.nothing"),
    ],
)
def test_a_route_to_nowhere_is_an_error_that_names_it(command: Verify, code: str, named: str) -> None:
    made = handlers()
    with pytest.raises(InvalidCommand, match=named) as error:
        made.forward(waiting(made), a_report(), command, OFFICER, LATER)
    assert error.value.code == code


def test_misconduct_stays_at_the_centre_and_can_be_archived() -> None:
    made = handlers()
    case = waiting(made, misconduct=True)
    with pytest.raises(Refusal) as error:
        made.forward(case, a_report(misconduct=True), Verify("kota-bandung"), OFFICER, LATER)
    assert error.value.code == "misconduct_stays_national"
    assert archived(made, case, Archive(ArchiveReason.IN_COURT)).reason is ArchiveReason.IN_COURT


def test_after_one_bounce_the_case_goes_to_another_agency() -> None:
    made = handlers()
    case = applied(made, returned(3, 1), case=handed_over(made)[0])
    with pytest.raises(Refusal) as error:
        made.forward(case, a_report(), Verify("kota-bandung"), OFFICER, LATER)
    assert error.value.code == "returned_by_this_agency"
    event = forwarded(made, case, agency="kota-ambon")
    assert (event.bounces, event.arbitrated) == (1, False)


@pytest.mark.parametrize("agency", ["kota-ambon", "kota-bandung"])
def test_an_arbitration_binds_any_agency(agency: str) -> None:
    made = handlers()
    case = applied(made, returned(5, 2), case=handed_over(made)[0])
    assert case.arbitration
    event = forwarded(made, case, agency=agency)
    assert (event.arbitrated, event.bounces) == (True, 2)


def test_archived_with_a_reason_and_a_note() -> None:
    made = handlers()
    outcome = made.archive(waiting(made), Archive(ArchiveReason.TOO_GENERAL, "Sebutkan lokasi."), OFFICER, LATER, an_id("command"))

    [event] = published(outcome.outgoing)
    assert isinstance(event, CaseArchived)
    assert (event.transition, event.version, event.state, event.owner) == (Transition.T13, 3, CaseState.ARCHIVED, Service.TRIAGE)
    assert (event.reason, event.note, event.input_id) == (ArchiveReason.TOO_GENERAL, "Sebutkan lokasi.", an_id("command"))
    case = outcome.state
    assert case is not None
    assert (case.queued_as, case.archive_reason, case.owned) == (None, ArchiveReason.TOO_GENERAL, True)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Archive(ArchiveReason.WITHDRAWN), "archive_reason_not_allowed"),
        (Archive(ArchiveReason.DATA_NOT_COMPLETED), "archive_reason_not_allowed"),
        (Archive(ArchiveReason.DUPLICATE), "duplicate_of_missing"),
        (Archive(ArchiveReason.DUPLICATE, duplicate_of=CASE_ID), "duplicate_of_itself"),
        (Archive(ArchiveReason.SPAM, duplicate_of=an_id("other")), "duplicate_of_without_duplicate"),
    ],
)
def test_an_archive_that_can_not_be_right(command: Archive, code: str) -> None:
    made = handlers()
    with pytest.raises(InvalidCommand) as error:
        made.archive(waiting(made), command, OFFICER, LATER)
    assert error.value.code == code


def test_a_duplicate_names_the_case_that_stays_open() -> None:
    made = handlers()
    event = archived(made, waiting(made), Archive(ArchiveReason.DUPLICATE, duplicate_of=an_id("other")))
    assert event.duplicate_of == an_id("other")


def test_a_case_of_another_owner_is_refused_with_the_owner_named() -> None:
    made = handlers()
    case, _ = handed_over(made)
    with pytest.raises(Refusal, match=r"dispatch \(at kota-bandung\)") as forward:
        made.forward(case, a_report(), Verify("kota-ambon"), OFFICER, LATER)
    with pytest.raises(Refusal, match="dispatch") as archive:
        made.archive(case, Archive(ArchiveReason.SPAM), OFFICER, LATER)
    assert forward.value.code == archive.value.code == "not_owner"


def test_an_archived_case_stays_archived() -> None:
    made = handlers()
    case = made.archive(waiting(made), Archive(ArchiveReason.SPAM), OFFICER, LATER).state
    assert case is not None
    with pytest.raises(Refusal, match="spam") as forward:
        made.forward(case, a_report(), Verify("kota-ambon"), OFFICER, LATER)
    with pytest.raises(Refusal, match="spam") as archive:
        made.archive(case, Archive(ArchiveReason.ABUSIVE), OFFICER, LATER)
    assert forward.value.code == archive.value.code == "case_archived"


def test_identifiers_that_a_verifier_writes_are_masked() -> None:
    made = handlers()
    event = forwarded(made, waiting(made), agency="kemenkes", title="Keluhan Bu 0812\u20113456\u20117890")
    assert event.report.title == "Keluhan Bu [telepon]"
    note = "Hubungi siti@contoh.id"
    assert archived(made, waiting(made), Archive(ArchiveReason.TOO_GENERAL, note)).note == "Hubungi [email]"
    with pytest.raises(InvalidCommand, match="too_long"):
        archived(made, waiting(made), Archive(ArchiveReason.TOO_GENERAL, "a@b.d," * 333))
