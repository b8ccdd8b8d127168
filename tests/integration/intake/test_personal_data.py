"""Who may learn who reported, that it is written down, and erasure; on a real PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.intake.harness import IntakeHarness, bearer, code
from tests.unit.intake.builders import answered, event, forwarded
from tuntas_contracts import cases
from tuntas_contracts.vocabulary import CaseState

REASON = {"reason": "perlu menanyakan lokasi tepatnya"}


async def reporter_ref(harness: IntakeHarness, receipt: dict[str, Any]) -> str:
    [row] = await harness.rows("SELECT reporter_ref FROM report WHERE case_id = :id", id=UUID(receipt["case_id"]))
    return str(row.reporter_ref)


async def wish(harness: IntakeHarness, receipt: dict[str, Any], purpose: str = "notice:receipt") -> dict[str, str]:
    return {"reporter_ref": await reporter_ref(harness, receipt), "case_id": receipt["case_id"], "purpose": purpose}


async def look_up(harness: IntakeHarness, *wishes: dict[str, str], who: str = "notifier") -> tuple[int, dict[str, Any]]:
    answer = await harness.http.post("/v1/contacts/lookup", json={"contacts": list(wishes)}, headers=bearer(who))
    return answer.status_code, answer.json()


async def disclose(harness: IntakeHarness, receipt: dict[str, Any], who: str) -> tuple[int, dict[str, Any]]:
    answer = await harness.http.post(f"/v1/cases/{receipt['case_id']}/reporter-disclosure", json=REASON, headers=bearer(who))
    return answer.status_code, answer.json()


async def log(harness: IntakeHarness) -> list[tuple[str, str, str]]:
    rows = await harness.rows("SELECT subject, purpose, case_id FROM access_log ORDER BY id")
    return [(row.subject, row.purpose, str(row.case_id)) for row in rows]


async def test_the_notifier_gets_contacts_in_order_and_every_read_is_logged(harness: IntakeHarness) -> None:
    one = await harness.submit()
    other = await harness.submit(reporter={"phone": "021-5551234"}, language="en")
    status, found = await look_up(harness, await wish(harness, other, "notice:answered"), await wish(harness, one))
    assert status == 200
    assert [contact["tracking_id"] for contact in found["contacts"]] == [other["tracking_id"], one["tracking_id"]]
    assert found["contacts"][0] | {"reporter_ref": None, "case_id": None, "tracking_id": None} == {
        "reporter_ref": None,
        "case_id": None,
        "tracking_id": None,
        "language": "en",
        "name": None,
        "email": None,
        "phone": "+62215551234",
        "access_code": None,
    }
    assert found["contacts"][1]["name"] == "Siti Nurhaliza"
    assert await log(harness) == [("notifier", "notice:answered", other["case_id"]), ("notifier", "notice:receipt", one["case_id"])]


async def test_a_reporter_of_another_case_is_not_informed(harness: IntakeHarness) -> None:
    one, other = await harness.submit(), await harness.submit()
    mixed = await wish(harness, one) | {"case_id": other["case_id"]}
    _, found = await look_up(harness, mixed, await wish(harness, one) | {"reporter_ref": str(uuid4())})
    assert found["contacts"] == []
    assert [missing["reason"] for missing in found["missing"]] == ["unknown", "unknown"]
    assert await log(harness) == []


@pytest.mark.parametrize("who", ["clerk", "administrator", "national", "operator", "agency-system"])
async def test_only_services_look_contacts_up(harness: IntakeHarness, who: str) -> None:
    receipt = await harness.submit()
    assert (await look_up(harness, await wish(harness, receipt), who=who))[0] == 403
    assert await log(harness) == []


async def test_a_row_that_does_not_open_keeps_nobody_else_from_being_informed(harness: IntakeHarness) -> None:
    broken, sound = await harness.submit(), await harness.submit()
    await harness.run("UPDATE personal_data SET ciphertext = '\\x00' WHERE source_id = :id", id=UUID(broken["case_id"]))
    _, found = await look_up(harness, await wish(harness, broken), await wish(harness, sound))
    assert [contact["case_id"] for contact in found["contacts"]] == [sound["case_id"]]
    assert [missing["reason"] for missing in found["missing"]] == ["unreadable"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("liaison", 200), ("administrator", 200), ("national", 200), ("liaison-elsewhere", 403), ("clerk", 403), ("notifier", 403)],
)
async def test_officers_of_the_agency_on_the_case_learn_the_reporter(harness: IntakeHarness, who: str, status: int) -> None:
    receipt = await harness.submit()
    case_id = UUID(receipt["case_id"])
    await harness.read(forwarded(case_id=case_id), answered(3, case_id=case_id))
    found, disclosed = await disclose(harness, receipt, who)
    assert found == status
    assert ("Siti Nurhaliza" in disclosed.values()) is (status == 200)
    assert len(await log(harness)) == (status == 200)


async def test_the_reason_is_written_down(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await disclose(harness, receipt, "national")
    assert await log(harness) == [("national-1", f"disclosure: {REASON['reason']}", receipt["case_id"])]


@pytest.mark.parametrize("who", ["liaison", "national"])
async def test_an_anonymous_reporter_is_disclosed_to_no_one(harness: IntakeHarness, who: str) -> None:
    receipt = await harness.submit(anonymous=True)
    await harness.read(forwarded(case_id=UUID(receipt["case_id"])))
    status, problem = await disclose(harness, receipt, who)
    assert (status, problem["code"]) == (403, "anonymous_report")
    assert await log(harness) == []


async def test_who_reported_misconduct_is_not_disclosed_to_the_agency(harness: IntakeHarness) -> None:
    receipt = await harness.submit(misconduct=True)
    await harness.read(forwarded(case_id=UUID(receipt["case_id"])))
    assert (await disclose(harness, receipt, "administrator"))[0] == 403
    assert (await disclose(harness, receipt, "national"))[0] == 200


async def test_an_agency_that_returned_the_case_learns_nothing_more(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    case_id = UUID(receipt["case_id"])
    returned = event(
        cases.CaseReturned, 3, CaseState.RECEIVED, case_id=case_id, agency="dinas-pu", reason="bukan kami", bounces=1, arbitration=False
    )
    await harness.read(forwarded(case_id=case_id), returned)
    assert (await disclose(harness, receipt, "administrator"))[0] == 403


async def test_an_unknown_case_has_no_reporter(harness: IntakeHarness) -> None:
    assert (await disclose(harness, {"case_id": str(uuid4())}, "national"))[0] == 404


async def test_erasure_destroys_the_data_and_leaves_the_case(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    case_id = UUID(receipt["case_id"])
    await harness.read(forwarded(case_id=case_id), answered(3, case_id=case_id))
    url = f"/v1/reporters/{await reporter_ref(harness, receipt)}"
    assert (await harness.http.delete(url, headers=bearer("national"))).status_code == 403
    assert (await harness.http.delete(url, headers=bearer("operator"))).status_code == 204
    assert (await harness.http.delete(url, headers=bearer("operator"))).status_code == 404

    _, found = await look_up(harness, await wish(harness, receipt))
    assert [missing["reason"] for missing in found["missing"]] == ["erased"]
    assert (await disclose(harness, receipt, "national"))[0] == 410
    assert await harness.rows("SELECT 1 FROM personal_data") == []
    assert await harness.rows("SELECT 1 FROM reporter WHERE wrapped_key IS NOT NULL") == []
    shown = (await harness.http.get(receipt["status_url"], headers=code(receipt))).json()
    assert [item["event"] for item in shown["history"]] == ["ReportSubmitted", "CaseForwarded", "CaseAnswered"]


async def test_a_database_put_back_erases_again_what_was_erased_since(harness: IntakeHarness) -> None:
    receipt, other = await harness.submit(), await harness.submit()
    backup = await harness.rows(
        "SELECT r.reporter_ref, wrapped_key, source_id, ciphertext FROM reporter r JOIN personal_data USING (reporter_ref)"
    )
    erased = UUID(await reporter_ref(harness, receipt))
    assert (await harness.http.delete(f"/v1/reporters/{erased}", headers=bearer("operator"))).status_code == 204
    [published] = await harness.rows("SELECT key, value FROM outbox WHERE type = 'ReporterErased'")
    event = cases.ReporterErased.model_validate_json(published.value)
    assert (published.key, event.reporter_ref) == (receipt["case_id"], erased)

    await harness.run("DELETE FROM personal_data")
    for row in backup:
        await harness.run(
            "UPDATE reporter SET wrapped_key = :key, erased_at = NULL WHERE reporter_ref = :ref", key=row.wrapped_key, ref=row.reporter_ref
        )
        await harness.run(
            "INSERT INTO personal_data VALUES (:ref, :source, :text)", ref=row.reporter_ref, source=row.source_id, text=row.ciphertext
        )
    assert len((await look_up(harness, await wish(harness, receipt)))[1]["contacts"]) == 1, "the backup knows what was erased"
    await harness.read(event)
    _, found = await look_up(harness, await wish(harness, receipt), await wish(harness, other))
    assert [missing["reason"] for missing in found["missing"]] == ["erased"]
    assert [contact["case_id"] for contact in found["contacts"]] == [other["case_id"]]


async def test_after_erasure_a_reply_is_taken_and_nothing_of_it_kept(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    case_id = UUID(receipt["case_id"])
    await harness.read(forwarded(case_id=case_id), answered(3, case_id=case_id))
    await harness.http.delete(f"/v1/reporters/{await reporter_ref(harness, receipt)}", headers=bearer("operator"))
    answer = await harness.http.post(receipt["status_url"] + "/reply", json={"text": "Belum, 0812-3456-7890"}, headers=code(receipt))
    assert answer.status_code == 202
    assert await harness.rows("SELECT 1 FROM personal_data") == []
    [row] = await harness.rows("SELECT value FROM outbox WHERE type = 'ReporterReplied'")
    assert b"Belum, [telepon]" in row.value
