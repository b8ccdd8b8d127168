"""Taking a report in: what is kept, what goes on, and what the receipt says."""

import json
from datetime import timedelta
from typing import Any

import pytest

from intake.application.errors import FutureIncident, FutureReceipt, IntakeError, ReceivedTooLongAgo, RetryKeyReused, TrackingIdTaken
from intake.domain.receipts import access_code_matches, read_tracking_id
from intake.entrypoints.schemas import Receipt
from intake.metrics import ACCEPTED, MASKED, REPLAYED
from tests.support.names import NAMES
from tests.unit.intake.builders import NOON, PEPPER, Desk, a_request
from tuntas_chassis.http.auth import Principal
from tuntas_contracts.vocabulary import Role

CLERK = Principal("clerk-7", frozenset({Role.CLERK}), "dinas-pu", "Bu Rini")


async def submitted(desk: Desk, entered_by: Principal | None = None, key: str | None = None, **fields: Any) -> Any:
    return await desk.submissions.submit(a_request(**fields), entered_by, key)


async def test_the_receipt_names_the_report_and_its_code_opens_it() -> None:
    desk = Desk()
    receipt = await submitted(desk)
    [kept] = desk.file.reports
    assert read_tracking_id(receipt.tracking_id) == receipt.tracking_id == kept.content.tracking_id
    assert receipt.access_code is not None
    assert kept.access_hash is not None
    assert access_code_matches(PEPPER, kept.case_id, receipt.access_code, kept.access_hash)
    assert (receipt.case_id, receipt.submitted_at) == (kept.case_id, NOON)


async def test_the_receipt_tells_what_was_masked() -> None:
    receipt = await submitted(Desk())
    assert {(m.field, m.kind, m.number) for m in receipt.masked} == {("title", "nama", 1), ("body", "nama", 1), ("body", "telepon", 1)}


async def test_no_personal_data_is_in_what_goes_on() -> None:
    desk = Desk()
    await submitted(
        desk,
        reporter={"name": "Siti Nurhaliza", "email": "siti@contoh.id", "phone": "0812-3456-7890", "address": "Jl. Melati No. 12, Bogor"},
        place={"text": "dekat rumah saya, Jl. Melati 12", "region_code": "32.01"},
        requested_resolution="Kabari Siti di siti@contoh.id",
    )
    [kept] = desk.file.reports
    published = kept.content.model_dump_json().lower()
    assert not [word for word in ("siti", "nurhaliza", "contoh.id", "3456", "melati") if word in published]
    assert "Rp 1.500.000" in kept.content.body
    assert kept.content.place is not None
    assert kept.content.place.text == "dekat rumah saya, [alamat]"


async def test_the_name_goes_on_as_fingerprints_that_the_receipt_does_not_show() -> None:
    desk = Desk()
    for reporter in ({"name": "Siti Nurhaliza", "email": "siti@contoh.id"}, {"email": "siti@contoh.id"}):
        receipt = await submitted(desk, reporter=reporter)
        assert "fingerprint" not in Receipt.of(receipt, "/v1/reports/").model_dump_json()
    named, nameless = desk.file.reports
    assert named.name_fingerprints == NAMES.fingerprints(named.case_id, "Siti Nurhaliza")
    assert len(named.name_fingerprints) == 2
    assert nameless.name_fingerprints == ()


async def test_the_original_is_kept_encrypted_letter_for_letter() -> None:
    desk = Desk()
    await submitted(desk)
    [kept] = desk.file.reports
    original = json.loads(desk.vault.open(kept.content.reporter_ref, kept.sealed.wrapped_key, kept.sealed.ciphertext))
    assert original["body"] == a_request().body
    assert original["reporter"] == {"name": "Siti Nurhaliza", "email": "siti@contoh.id", "phone": "+6281234567890"}


async def test_two_reports_of_one_person_have_nothing_in_common() -> None:
    desk = Desk()
    await submitted(desk)
    await submitted(desk)
    one, other = desk.file.reports
    assert one.content.reporter_ref != other.content.reporter_ref
    assert one.access_hash != other.access_hash


async def test_a_retry_gets_the_same_receipt_with_the_same_access_code() -> None:
    desk = Desk()
    first = await submitted(desk, key="kunci 1")
    again = await submitted(desk, key="kunci 1")
    assert again == first
    assert len(desk.file.reports) == 1
    assert desk.metrics.value(REPLAYED) == 1
    assert desk.metrics.value(ACCEPTED, "complaint", "web") == 1


async def test_neither_key_nor_access_code_is_kept_in_clear_for_a_retry() -> None:
    desk = Desk()
    receipt = await submitted(desk, key="kunci 1")
    retry = desk.file.reports[0].retry
    assert retry is not None
    kept = retry.key_hash + retry.body_hash + retry.sealed_receipt
    assert b"kunci" not in kept
    assert receipt.access_code.encode() not in kept


async def test_another_body_under_the_same_key_of_an_officer_is_refused() -> None:
    desk = Desk()
    await submitted(desk, key="kunci 1", entered_by=CLERK, channel="letter")
    with pytest.raises(RetryKeyReused):
        await submitted(desk, key="kunci 1", entered_by=CLERK, channel="letter", title="Judul lain")


async def test_of_two_people_who_chose_one_key_neither_blocks_the_other_nor_sees_their_receipt() -> None:
    desk = Desk()
    first = await submitted(desk, key="1")
    second = await submitted(desk, key="1", reporter={"email": "budi@contoh.id"})
    third = await submitted(desk, key="1", title="Judul lain")
    assert len({receipt.access_code for receipt in (first, second, third)}) == 3
    assert (await submitted(desk, key="1")).access_code == first.access_code, "a retry gets its receipt all the same"
    assert len(desk.file.reports) == 3


async def test_a_clerks_key_is_not_the_publics() -> None:
    desk = Desk()
    await submitted(desk, key="1")
    await submitted(desk, key="1", entered_by=CLERK, channel="letter")
    assert len(desk.file.reports) == 2


async def test_a_report_received_by_hand_carries_who_entered_it_and_when_it_came() -> None:
    desk = Desk()
    await submitted(desk, entered_by=CLERK, channel="letter", original_received_at="2026-03-02T09:00:00+07:00")
    [kept] = desk.file.reports
    assert (kept.actor.role, kept.actor.subject, kept.entered_by) == (Role.CLERK, "clerk-7", "clerk-7")
    assert kept.original_received_at == NOON - timedelta(days=2, hours=3)
    assert "Rini" not in kept.actor.model_dump_json()


async def test_an_old_complaint_is_flagged_and_not_refused() -> None:
    desk = Desk()
    await submitted(desk, incident_date="2026-02-01")
    await submitted(desk, incident_date="2026-02-10")
    assert [kept.content.older_than_30_days for kept in desk.file.reports] == [True, False]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"incident_date": "2026-03-06"}, FutureIncident),
        ({"channel": "letter", "original_received_at": "2026-03-05T00:00:00Z"}, FutureReceipt),
    ],
)
async def test_times_that_lie_ahead_are_refused(fields: dict[str, Any], error: type[IntakeError]) -> None:
    desk = Desk()
    with pytest.raises(error):
        await submitted(desk, entered_by=CLERK, **fields)
    assert desk.file.reports == []


@pytest.mark.parametrize(("days", "taken"), [(366, True), (367, False), (3_000, False)])
async def test_what_was_received_more_than_a_year_ago_is_refused_with_the_reason(days: int, taken: bool) -> None:
    desk = Desk()
    received = (NOON - timedelta(days=days)).isoformat()
    if taken:
        await submitted(desk, entered_by=CLERK, channel="letter", original_received_at=received)
        return
    with pytest.raises(ReceivedTooLongAgo):
        await submitted(desk, entered_by=CLERK, channel="letter", original_received_at=received)
    assert desk.file.reports == []


async def test_a_tracking_id_that_exists_is_replaced_by_another() -> None:
    desk = Desk()
    desk.file.refusals = [TrackingIdTaken()]
    receipt = await submitted(desk)
    assert [kept.content.tracking_id for kept in desk.file.reports] == [receipt.tracking_id]


async def test_another_collision_is_not_hidden() -> None:
    desk = Desk()
    desk.file.refusals = [RuntimeError("report_pkey")]
    with pytest.raises(RuntimeError, match="report_pkey"):
        await submitted(desk)
    assert desk.file.reports == []


async def test_accepted_reports_and_masked_identifiers_are_counted() -> None:
    desk = Desk()
    await submitted(desk)
    assert desk.metrics.value(ACCEPTED, "complaint", "web") == 1
    assert desk.metrics.value(MASKED, "nama") == 2
    assert desk.metrics.value(MASKED, "telepon") == 1
