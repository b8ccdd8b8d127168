"""A reporter's own name, in whatever field a verifier writes it, leaves triage masked; erasure reaches who takes the case over."""

from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import pytest

from tests.support.names import NAMES
from tests.unit.triage.builders import (
    CASE_ID,
    LATER,
    OFFICER,
    a_report,
    applied,
    erased,
    handed_over,
    handlers,
    incoming,
    published,
    returned,
    submitted,
    waiting,
)
from triage.domain.verification import Archive, Verify
from tuntas_chassis.messaging.messages import Outcome
from tuntas_contracts.cases import CaseForwarded, ReporterErased
from tuntas_contracts.texts.name_fingerprints import packed, unpacked
from tuntas_contracts.vocabulary import ArchiveReason

NAME = "Siti Nurhaliza"
WRITTEN = "Ѕіtі-Nurhaliza, Nurhalizanya, S̲iti dan 0812-3456-7890"
LEFT = "[nama], [nama]nya, [nama] dan [telepon]"
COMMANDS = (Verify(agency="kemenkes"), Archive(reason=ArchiveReason.TOO_GENERAL))
NO_TEXTS = {"agency", "category", "classification", "reason", "duplicate_of"}


def texts_of(command: Verify | Archive) -> dict[str, Any]:
    """Every field of a command that may hold a text, with the name in it."""
    return {field.name: WRITTEN for field in fields(command) if field.name not in NO_TEXTS}


def texts_published(outcome: Outcome[Any]) -> str:
    return "\n".join(body.model_dump_json() for body in published(outcome.outgoing))


@pytest.mark.parametrize("bare", COMMANDS, ids=lambda bare: type(bare).__name__)
def test_no_text_of_a_command_takes_the_name_along(bare: Verify | Archive) -> None:
    made, command = handlers(), replace(bare, **texts_of(bare))
    case = waiting(made, name=NAME)
    if isinstance(command, Verify):
        outcome = made.forward(case, a_report(), command, OFFICER, LATER)
    else:
        outcome = made.archive(case, command, OFFICER, LATER)
    for secret in ("nurhaliza", "ѕіtі", "s̲iti", "3456"):
        assert secret not in texts_published(outcome).lower()
    assert texts_published(outcome).count(LEFT) == len(texts_of(bare)) > 0


@pytest.mark.parametrize("name", [NAME, None])
def test_whether_a_title_is_too_long_says_nothing_of_the_name(name: str | None) -> None:
    made = handlers()
    title = "Siti " * 60
    outcome = made.forward(waiting(made, name=name), a_report(), Verify(agency="kemenkes", title=title), OFFICER, LATER)
    assert ("Siti" in texts_published(outcome)) == (name is None)


def test_the_fingerprints_go_on_to_dispatch_by_themselves_by_hand_and_after_a_return() -> None:
    made, fingerprints = handlers(), NAMES.fingerprints(CASE_ID, NAME)
    [by_itself] = published(made.apply(None, incoming(submitted(name=NAME, addressed_agency="kota-bandung"))).outgoing)
    assert isinstance(by_itself, CaseForwarded)
    assert by_itself.name_fingerprints == fingerprints
    case = applied(made, by_itself, returned(3), case=applied(made, submitted(name=NAME, addressed_agency="kota-bandung")))
    [by_hand] = published(made.forward(case, a_report(), Verify(agency="kemenkes"), OFFICER, LATER).outgoing)
    assert isinstance(by_hand, CaseForwarded)
    assert by_hand.name_fingerprints == fingerprints
    assert unpacked(case.name_fingerprints) == fingerprints


def test_a_database_built_from_a_hand_over_knows_them_too() -> None:
    made = handlers()
    [event] = published(made.apply(None, incoming(submitted(name=NAME, addressed_agency="kota-bandung"))).outgoing)
    assert isinstance(event, CaseForwarded)
    assert applied(made, event).name_fingerprints == packed(event.name_fingerprints)


def test_an_erased_reporters_fingerprints_are_dropped_and_no_more_handed_over() -> None:
    made = handlers()
    case = waiting(made, name=NAME)
    outcome = made.apply(case, incoming(erased()))
    assert outcome.outgoing == ()
    assert outcome.state == case._replace(name_fingerprints=b"")
    assert made.apply(outcome.state, incoming(erased())).state is None
    [event] = published(made.forward(outcome.state, a_report(), Verify(agency="kemenkes"), OFFICER, LATER).outgoing)
    assert isinstance(event, CaseForwarded)
    assert event.name_fingerprints == ()
    assert made.apply(None, incoming(erased())).state is None


def test_an_erasure_that_a_hand_over_meets_on_the_way_is_repeated_behind_it() -> None:
    """Dispatch reads the erasure before it knows the case."""
    made = handlers()
    case, event = handed_over(made, name=NAME)
    outcome = made.apply(case, incoming(erased()))
    assert published(outcome.outgoing) == [erased()]
    assert [message.key for message in outcome.outgoing] == [str(CASE_ID)]
    assert outcome.state is not None
    read_back = applied(made, event, case=outcome.state)
    assert read_back.name_fingerprints == b""
    assert made.apply(read_back, incoming(erased())).outgoing == (), "once the hand-over is on the topic, dispatch reads it itself"


def test_an_erasure_under_another_cases_key_is_refused() -> None:
    with pytest.raises(ValueError, match="is under key"):
        handlers().apply(None, incoming(ReporterErased(case_id=CASE_ID, reporter_ref=CASE_ID, occurred_at=LATER), key=str(UUID(int=9))))
