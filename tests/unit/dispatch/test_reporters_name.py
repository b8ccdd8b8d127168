"""A reporter's own name, in whatever field an officer or an agency's system writes it, leaves dispatch masked."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from dispatch.domain.case import Case
from tests.support.names import NAMES
from tests.unit.dispatch.builders import BEKASI, BOGOR, NOON, a_case, an_act, forwarded
from tests.unit.dispatch.delivery import Delivery, incoming, make_handlers
from tuntas_chassis.messaging.messages import Outcome
from tuntas_contracts.agencies import ActionRefused, AgencyCommand, AnswerCase, RecordFollowUp
from tuntas_contracts.cases import CaseForwarded, FollowUpRecorded, ReporterErased
from tuntas_contracts.texts.name_fingerprints import packed
from tuntas_contracts.topology import AGENCY_ACTIONS, CASES, COMMANDS
from tuntas_contracts.vocabulary import CaseState, Service, Transition

CASE_ID = UUID(int=1)
NAME = "Siti Nurhaliza"
# Cyrillic letters, a mark, a hyphen, something written onto it, and identifiers that anybody may write
WRITTEN = "Kepada Ѕіtі-Nurhaliza, Nurhalizanya, S̲iti dan 0812-3456-7890: selesai"
LEFT = "Kepada [nama], [nama]nya, [nama] dan [telepon]: selesai"
NO_TEXTS = {
    "case_id": "an id",
    "officer": "the agency's own pseudonym of who acts, not a text about the case",
    "unit": "a code that is compared with the register",
    "category": "a code that is compared with the category tree",
}
STATES = {
    "AcceptCase": CaseState.AT_AGENCY,
    "HandleCase": CaseState.AT_AGENCY,
    "ReturnCase": CaseState.AT_AGENCY,
    "RecordFollowUp": CaseState.DISPATCHED,
    "AnswerCase": CaseState.IN_PROGRESS,
}


def texts_of(kind: type[AgencyCommand]) -> dict[str, Any]:
    """Every field of a command that may hold a text, with the name in it."""
    schema = kind.model_json_schema()["properties"]
    found: dict[str, Any] = {}
    for name, shape in schema.items():
        types = {part.get("type") for part in (shape, *shape.get("anyOf", ()))}
        if name not in NO_TEXTS and types & {"string", "array", "object"}:
            found[name] = [WRITTEN, "lampiran"] if "array" in types else WRITTEN
    return found


def a_command(kind: type[AgencyCommand]) -> AgencyCommand:
    codes = {"unit": "layanan"} if "unit" in kind.model_fields else {}
    return kind.model_validate({"case_id": CASE_ID, **codes, **texts_of(kind)})


def a_case_in(state: CaseState, name: str | None = NAME) -> Case:
    return a_case(case_id=CASE_ID, name=name)._replace(state=state)


def published(outcome: Outcome[Case]) -> str:
    return "\n".join(message.body.model_dump_json() for message in outcome.outgoing)


@pytest.mark.parametrize("source", ["http", "topic"])
@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_no_text_of_a_command_takes_the_name_along(kind: type[AgencyCommand], source: str) -> None:
    command, case = a_command(kind), a_case_in(STATES[kind.__name__])
    handlers, _, _ = make_handlers()
    if source == "http":
        outcome = handlers.on_command(case, command, an_act(), source="http")
    else:
        outcome = handlers.on_action(case, incoming(command, AGENCY_ACTIONS.for_agency(BOGOR), NOON + timedelta(hours=1)))
    assert outcome.state is not None, "the command is accepted"
    texts = published(outcome)
    event = json.loads(outcome.outgoing[0].body.model_dump_json())
    held = {**event, **(event.get("assessment") or {})}
    for field in texts_of(kind):
        assert held[field] == ([LEFT, "lampiran"] if field == "evidence" else LEFT)
    for secret in ("nurhaliza", "ѕіtі", "s̲iti", "3456"):
        assert secret not in texts.lower()


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_command_holds_a_text_of_which_this_test_knows(kind: type[AgencyCommand]) -> None:
    assert texts_of(kind)


def test_a_refusal_repeats_nothing_that_was_written() -> None:
    handlers, _, _ = make_handlers()
    for changes in ({"unit": WRITTEN}, {"unit": "layanan", "category": NAME}):
        command = COMMANDS[0].model_validate({"case_id": CASE_ID, **changes})
        outcome = handlers.on_action(a_case_in(CaseState.AT_AGENCY), incoming(command, AGENCY_ACTIONS.for_agency(BOGOR), NOON))
        [refused] = [message.body for message in outcome.outgoing]
        assert isinstance(refused, ActionRefused)
        assert "nurhaliza" not in published(outcome).lower()


def test_evidence_beside_and_in_an_address_is_masked() -> None:
    evidence = ("https://berkas.example/siti-nurhaliza/0812345678901.pdf", "0812-3456-7890, lihat https://berkas.example/1")
    outcome = make_handlers()[0].on_command(
        a_case_in(CaseState.IN_PROGRESS), AnswerCase(case_id=CASE_ID, answer="Selesai", evidence=evidence), an_act(), source="http"
    )
    evidence = json.loads(outcome.outgoing[0].body.model_dump_json())["evidence"]
    assert evidence == ["https://berkas.example/[nama]/0812345678901.pdf", "[telepon], lihat https://berkas.example/1"]


@pytest.mark.parametrize("name", [NAME, None])
def test_whether_a_text_is_too_long_says_nothing_of_the_name(name: str | None) -> None:
    """A text full of names that masks make longer is taken like any other."""
    handlers, _, _ = make_handlers()
    note = "Siti " * 4_000
    outcome = handlers.on_command(
        a_case_in(CaseState.DISPATCHED, name), RecordFollowUp(case_id=CASE_ID, note=note), an_act(), source="http"
    )
    event = outcome.outgoing[0].body
    assert isinstance(event, FollowUpRecorded)
    assert ("Siti" in event.note) == (name is None)


def test_another_cases_name_is_not_masked() -> None:
    case = a_case(case_id=CASE_ID)._replace(state=CaseState.DISPATCHED, name_fingerprints=packed(NAMES.fingerprints(uuid4(), NAME)))
    outcome = make_handlers()[0].on_command(case, RecordFollowUp(case_id=CASE_ID, note=NAME), an_act(), source="http")
    assert NAME in published(outcome)


def test_an_erased_reporters_fingerprints_are_dropped_and_nothing_is_published() -> None:
    world = Delivery()
    erased = ReporterErased(case_id=CASE_ID, reporter_ref=uuid4(), occurred_at=NOON)
    world.append(erased, Service.INTAKE)
    world.append(forwarded(CASE_ID, name=NAME), Service.TRIAGE)
    world.append(erased, Service.INTAKE)
    assert world.read_next()
    assert world.case is None
    assert world.read_next()
    assert world.case is not None
    assert world.case.name_fingerprints
    sent = len(world.agencies)
    assert world.read_next()
    assert world.case == a_case(case_id=CASE_ID)
    assert (len(world.agencies), len(world.cases)) == (sent, 3)


def test_a_case_forwarded_again_brings_its_fingerprints_again_and_the_agency_never_sees_them() -> None:
    first, again = forwarded(CASE_ID, name=NAME), forwarded(CASE_ID, version=4, agency=BEKASI, by=Transition.T3, name=NAME)
    handlers, _, _ = make_handlers()
    case = None
    for event in (first, again):
        outcome = handlers.on_case_message(case, incoming(event, CASES.name, NOON))
        case = outcome.state
        assert case is not None
        assert case.name_fingerprints == packed(event.name_fingerprints)
        assert not any(one in published(outcome) for one in event.name_fingerprints)
        assert not any(one in str(row) for row in outcome.rows for one in event.name_fingerprints)


def test_the_hand_over_of_an_older_release_has_no_fingerprints() -> None:
    content = forwarded(CASE_ID).model_dump(mode="json", exclude={"name_fingerprints"})
    assert CaseForwarded.model_validate(content).name_fingerprints == ()
