"""What is taken of a submission, and what is refused."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from intake.application.commands import SubmitReport
from intake.domain.submission import PUBLIC_CHANNELS
from intake.entrypoints.schemas import ContactLookup
from tests.unit.intake.builders import CASE_ID, a_report, a_request
from tuntas_contracts.vocabulary import Channel


def test_four_things_are_enough() -> None:
    report = a_request(reporter={"phone": "0812-3456-7890"})
    assert (report.reporter.phone, report.language, report.channel.value) == ("+6281234567890", "id", "web")


def test_every_field_of_the_domain_is_taken() -> None:
    a_request(
        category="health.hospitals",
        incident_date="2026-03-01",
        place={"region_code": "32.01", "text": "depan pasar", "latitude": -6.2, "longitude": 106},
        addressed_agency="dinas-pu",
        service_kind="administrative",
        loss_rupiah=1_500_000,
        requested_resolution="Perbaiki",
        misconduct=True,
        anonymous=True,
        secret=True,
        channel="letter",
        language="en",
        origin="dpr",
        original_received_at="2026-03-02T10:00:00+07:00",
        reporter={"name": "Siti", "email": "s@contoh.id", "phone": "021-5551234", "nik": "3201014501900001", "address": "Jl. A\nNo. 1"},
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "\u200b\u2060"}, "title"),
        ({"body": "\u2800\u3164"}, "body"),
        ({"requested_resolution": "\u00ad"}, "requested_resolution"),
        ({"title": "dua\nbaris"}, "title"),
        ({"title": "x" * 151}, "title"),
        ({"title": 5}, "title"),
        ({"body": "nul \x00"}, "body"),
        ({"body": "lonceng \x07"}, "body"),
        ({"body": "c1 \x9b31m"}, "body"),
        ({"body": "x" * 10_001}, "body"),
        ({"classification": "gossip"}, "classification"),
        ({"category": "gosip"}, "category"),
        ({"misconduct": "yes"}, "misconduct"),
        ({"loss_rupiah": -1}, "loss_rupiah"),
        ({"loss_rupiah": "NaN"}, "loss_rupiah"),
        ({"loss_rupiah": 1e300}, "loss_rupiah"),
        ({"incident_date": "kemarin"}, "incident_date"),
        ({"place": {"region_code": "3201"}}, "place.region_code"),
        ({"place": {"latitude": 91}}, "place.latitude"),
        ({"place": {"text": "\x00"}}, "place.text"),
        ({"addressed_agency": "Dinas PU!"}, "addressed_agency"),
        ({"addressed_agency": "a1", "suggested_agency": "a2"}, ""),
        ({"original_received_at": "2026-03-02T10:00:00+07:00"}, ""),
        ({"channel": "letter", "original_received_at": "2026-03-02T10:00:00"}, "original_received_at"),
        ({"channel": "letter", "original_received_at": "0001-01-01T00:00:00+07:00"}, "original_received_at"),
        ({"channel": "letter", "original_received_at": "9999-12-31T23:59:59-12:00"}, "original_received_at"),
        ({"channel": "letter", "original_received_at": "1970-01-01T00:00:00Z"}, "original_received_at"),
        ({"incident_date": "0001-01-01"}, "incident_date"),
        ({"incident_date": "9999-12-31"}, "incident_date"),
        ({"loss_rupiah": "1." + "0" * 240_000}, "loss_rupiah"),
        ({"loss_rupiah": "1" * 240_000}, "loss_rupiah"),
        ({"loss_rupiah": "0E-200000"}, "loss_rupiah"),
        ({"loss_rupiah": 1.001}, "loss_rupiah"),
        ({"reporter": {"name": "Siti"}}, "reporter"),
        ({"reporter": {}}, "reporter"),
        ({"reporter": {"name": "Siti"}, "channel": "mobile"}, "reporter"),
        ({"reporter": {"email": "siti"}}, "reporter.email"),
        ({"reporter": {"phone": "12345"}}, "reporter.phone"),
        ({"reporter": {"phone": "0812-3456-7890", "nik": "123"}}, "reporter.nik"),
        ({"entered_by": "somebody"}, "entered_by"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_request(**fields)
    assert [".".join(map(str, error["loc"])) for error in refused.value.errors()] == [field]


def test_without_a_contact_nothing_is_taken_over_a_public_channel() -> None:
    report = a_report()
    del report["reporter"]
    with pytest.raises(ValidationError, match=r"e-mail address or a phone number"):
        SubmitReport.model_validate_json(json.dumps(report))


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel not in PUBLIC_CHANNELS])
@pytest.mark.parametrize("reporter", [None, {}, {"name": "Mbah Karso"}])
def test_what_came_by_hand_needs_no_contact(channel: Channel, reporter: dict[str, str] | None) -> None:
    report = a_report(channel=channel.value)
    del report["reporter"]
    if reporter is not None:
        report["reporter"] = reporter
    assert not SubmitReport.model_validate_json(json.dumps(report)).reporter.has_contact


@pytest.mark.parametrize("missing", ["classification", "title", "body"])
def test_the_three_things_are_needed(missing: str) -> None:
    report = a_report()
    del report[missing]
    with pytest.raises(ValidationError) as refused:
        SubmitReport.model_validate_json(json.dumps(report))
    assert refused.value.errors()[0]["loc"] == (missing,)


@pytest.mark.parametrize("count", [0, 501])
def test_a_look_up_is_of_one_to_five_hundred(count: int) -> None:
    one = {"reporter_ref": str(CASE_ID), "case_id": str(CASE_ID), "purpose": "notice:receipt"}
    with pytest.raises(ValidationError):
        ContactLookup.model_validate({"contacts": [one] * count})
