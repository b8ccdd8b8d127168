"""Every field of every message is bounded, and the largest message of each type passes with room to spare."""

import inspect
from datetime import datetime
from decimal import Decimal
from types import ModuleType
from typing import Annotated, Any

import pytest
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from tests.support.field_bounds import Bounds
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import MAX_VALUE_BYTES, encode
from tuntas_contracts import agencies, base, cases, notices, reports, sla, watermarks
from tuntas_contracts.agencies import AgencyCommand, AgencyRegistered, AnswerCase
from tuntas_contracts.base import Contract
from tuntas_contracts.cases import CaseForwarded
from tuntas_contracts.reports import Rupiah
from tuntas_contracts.topology import TOPICS

MODULES: tuple[ModuleType, ...] = (base, agencies, cases, notices, reports, sla, watermarks)
CONTRACTS = [
    kind
    for module in MODULES
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Contract) and kind is not Contract and kind.__module__ == module.__name__
]
MESSAGES = list(dict.fromkeys(kind for topic in TOPICS for kind in topic.messages()))

LARGEST_EVENT = 256 * 1024
LARGEST_COMMAND = 128 * 1024 - 4_096
"""Under the actions topics' max.message.bytes with headers and framing."""


@pytest.mark.parametrize("kind", CONTRACTS, ids=lambda kind: kind.__name__)
def test_every_field_has_a_bound(kind: type[Contract]) -> None:
    assert Bounds(kind, kind.__name__).faults == []


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_the_largest_message_passes(kind: type[Contract]) -> None:
    limit = LARGEST_COMMAND if issubclass(kind, AgencyCommand) else LARGEST_EVENT
    if kind is AgencyRegistered:  # a tree of 400 units; one record for each agency, compacted
        limit = MAX_VALUE_BYTES
    assert 0 < Bounds(kind, kind.__name__).largest <= limit


def test_every_message_is_a_contract_that_is_gone_through() -> None:
    assert set(MESSAGES) <= set(CONTRACTS)


class Inner(BaseModel):
    note: str


@pytest.mark.parametrize(
    "kind",
    [
        str,
        Annotated[str, Field(min_length=1)],
        int,
        Annotated[int, Field(ge=0)],
        float,
        Annotated[float, Field(ge=0, le=1)],
        Decimal,
        Annotated[Decimal, Field(ge=0, le=1)],
        datetime,
        AwareDatetime,
        tuple[bool, ...],
        list[bool],
        Annotated[list[str], Field(max_length=2)],
        Annotated[dict[str, bool], Field(max_length=2)],
        dict[Annotated[str, Field(max_length=2)], bool],
        bytes,
        Any,
        str | None,
        Annotated[tuple[Inner, ...], Field(max_length=3)],
    ],
    ids=str,
)
def test_an_unbounded_field_is_found_wherever_it_stands(kind: Any) -> None:
    class Outer(BaseModel):
        given: kind

    found = Bounds(Outer, "Outer").faults
    assert len(found) == 1
    assert found[0].startswith("Outer.given")


def test_the_computed_size_is_at_least_that_of_real_messages_at_their_largest() -> None:
    worst = "\U0001f600"
    command = AnswerCase.model_validate(
        {"case_id": "0" * 32, "officer": worst * 200, "answer": worst * 20_000, "evidence": [worst * 200] * 50}
    )
    assert len(command.model_dump_json().encode()) <= Bounds(AnswerCase, "").largest <= LARGEST_COMMAND
    report = {
        "tracking_id": worst * 200,
        "reporter_ref": "0" * 32,
        "classification": "information",
        "title": worst * 300,
        "body": worst * 20_000,
        "category": worst * 200,
        "incident_date": "2199-12-31",
        "place": {"region_code": "32.01", "text": worst * 500, "latitude": -89.123456789012345, "longitude": -179.12345678901234},
        "addressed_agency": "a" * 39,
        "suggested_agency": "a" * 39,
        "loss_rupiah": "1" * 15 + ".99",
        "requested_resolution": worst * 2_000,
        "channel": "agency_application",
        "language": "abc",
        "origin": "ombudsman_recommendation",
        "submitted_at": "2199-12-31T23:59:59.999999+00:00",
        "profile": worst * 200,
    }
    event = CaseForwarded.model_validate(
        {
            "case_id": "0" * 32,
            "version": base.MAX_COUNT,
            "occurred_at": "2199-12-31T23:59:59.999999+00:00",
            "state": "awaiting_data",
            "owner": "sla-monitor",
            "actor": {"role": "national_administrator", "subject": worst * 200, "agency": "a" * 39},
            "agency": "a" * 39,
            "time_zone": worst * 200,
            "report": report,
            "published": False,
            "bounces": 1_000,
        }
    )
    assert len(encode(Outgoing("t", "k", event, event.occurred_at))) <= Bounds(CaseForwarded, "").largest <= LARGEST_EVENT


@pytest.mark.parametrize(
    "loss", ["1." + "0" * 240_000, "1" * 240_000, "0E-200000", "1e999999999", "-1", "1.001", "1000000000000000.01", "NaN", "Infinity"]
)
def test_a_loss_has_few_digits_however_it_is_written(loss: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Rupiah).validate_python(loss)


@pytest.mark.parametrize("text", ["\x00", "\x01", "\x1f", "\x0b"])
def test_no_text_holds_control_characters(text: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        AnswerCase.model_validate({"case_id": "0" * 32, "answer": f"Sudah{text}selesai"})
    assert AnswerCase.model_validate({"case_id": "0" * 32, "answer": "Sudah\r\n\tselesai"})


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "1999-12-31T23:59:59Z"],
)
def test_business_times_lie_within_two_centuries(moment: str) -> None:
    event = {"case_id": "0" * 32, "version": 1, "state": "received", "owner": "triage", "reason": "misconduct"}
    with pytest.raises(ValidationError, match="occurred_at"):
        cases.CaseReceived.model_validate(event | {"occurred_at": moment})
