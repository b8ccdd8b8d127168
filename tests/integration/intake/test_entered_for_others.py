"""Who enters a report for somebody else gets no code with which to answer in their name."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.intake.harness import IntakeHarness, bearer
from tests.unit.intake.builders import a_report, accepted, answered, forwarded
from tuntas_contracts.cases import ReporterConfirmed, ReportSubmitted

BY_HAND: dict[str, Any] = {"headers": bearer("clerk"), "channel": "walk_in"}


async def looked_up(harness: IntakeHarness, *, access_code: bool = True) -> dict[str, Any]:
    """What the notifier gets for the receipt of the one report there is."""
    [row] = await harness.rows("SELECT case_id, reporter_ref FROM report")
    asked: dict[str, Any] = {"case_id": str(row.case_id), "reporter_ref": str(row.reporter_ref), "purpose": "notice:receipt"}
    answer = await harness.http.post(
        "/v1/contacts/lookup", json={"contacts": [asked | ({"access_code": True} if access_code else {})]}, headers=bearer("notifier")
    )
    assert answer.status_code == 200, answer.text
    contact: dict[str, Any] = answer.json()["contacts"][0]
    return contact


async def seen(harness: IntakeHarness, receipt: dict[str, Any], access_code: str) -> int:
    return (await harness.http.get(receipt["status_url"], headers={"X-Access-Code": access_code})).status_code


async def confirm(harness: IntakeHarness, receipt: dict[str, Any], access_code: str) -> httpx.Response:
    return await harness.http.post(receipt["status_url"] + "/confirmation", json={"rating": 5}, headers={"X-Access-Code": access_code})


async def answered_case(harness: IntakeHarness, receipt: dict[str, Any]) -> None:
    case_id = UUID(receipt["case_id"])
    await harness.read(forwarded(case_id=case_id), accepted(case_id=case_id), answered(case_id=case_id))


async def test_with_an_address_the_code_goes_to_the_reporter_alone(harness: IntakeHarness) -> None:
    receipt = await harness.submit(**BY_HAND)
    assert receipt["access_code"] is None
    [row] = await harness.rows("SELECT access_hash, assisted FROM report")
    assert (row.access_hash, row.assisted) == (None, False)
    code = (await looked_up(harness))["access_code"]
    assert await seen(harness, receipt, code) == 200
    await answered_case(harness, receipt)
    assert (await confirm(harness, receipt, code)).status_code == 202
    [value] = [row.value for row in await harness.rows("SELECT value FROM outbox WHERE type = 'ReporterConfirmed'")]
    assert not ReporterConfirmed.model_validate_json(value).assisted


async def test_no_code_opens_a_report_whose_code_was_not_made_yet(harness: IntakeHarness) -> None:
    receipt = await harness.submit(**BY_HAND)
    assert await seen(harness, receipt, "0000-0000-0000-0000") == 404


async def test_a_receipt_that_is_mailed_again_has_a_new_code_and_the_former_is_void(harness: IntakeHarness) -> None:
    receipt = await harness.submit(**BY_HAND)
    former, later = [(await looked_up(harness))["access_code"] for _ in range(2)]
    assert [await seen(harness, receipt, code) for code in (former, later)] == [404, 200]


async def test_other_notices_make_no_code(harness: IntakeHarness) -> None:
    await harness.submit(**BY_HAND)
    assert (await looked_up(harness, access_code=False))["access_code"] is None
    [row] = await harness.rows("SELECT access_hash FROM report")
    assert row.access_hash is None


async def test_a_code_that_the_reporter_holds_is_never_replaced(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    assert (await looked_up(harness))["access_code"] is None
    assert await seen(harness, receipt, receipt["access_code"]) == 200


@pytest.mark.parametrize("reporter", [{}, {"name": "Mbah Karso"}, {"phone": "0812-3456-7890"}])
async def test_without_an_address_the_code_is_on_the_receipt_and_the_case_is_assisted(
    harness: IntakeHarness, reporter: dict[str, str]
) -> None:
    receipt = await harness.submit(**BY_HAND, reporter=reporter)
    assert (await looked_up(harness))["access_code"] is None
    assert await seen(harness, receipt, receipt["access_code"]) == 200
    [published] = [ReportSubmitted.model_validate_json(row.value) for row in await harness.rows("SELECT value FROM outbox")]
    assert published.assisted
    await answered_case(harness, receipt)
    assert (await confirm(harness, receipt, receipt["access_code"])).status_code == 202
    [value] = [row.value for row in await harness.rows("SELECT value FROM outbox WHERE type = 'ReporterConfirmed'")]
    assert ReporterConfirmed.model_validate_json(value).assisted


async def test_a_retry_of_the_entry_tells_no_code_either(harness: IntakeHarness) -> None:
    key = bearer("clerk") | {"Idempotency-Key": "1"}
    receipts = [await harness.submit(headers=key, channel="letter") for _ in range(2)]
    assert receipts[0] == receipts[1]
    assert receipts[1]["access_code"] is None


async def test_an_agencys_application_gets_no_code(harness: IntakeHarness) -> None:
    answer = await harness.http.post("/v1/reports", json=a_report(channel="agency_application"), headers=bearer("agency-system"))
    assert (answer.status_code, answer.json()["access_code"]) == (201, None)
