"""Submitting over HTTP on a real PostgreSQL: what is kept, retries, and requests that are refused."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from intake.adapters.maintenance import Maintenance
from intake.domain.receipts import new_tracking_id
from tests.integration.intake.harness import IntakeHarness, bearer, code
from tests.unit.intake.builders import a_report
from tuntas_contracts.cases import ReportSubmitted
from tuntas_contracts.vocabulary import CaseState, Role, Service


async def events(harness: IntakeHarness) -> list[ReportSubmitted]:
    return [ReportSubmitted.model_validate_json(row.value) for row in await harness.rows("SELECT value FROM outbox ORDER BY id")]


async def test_a_report_and_the_event_that_tells_of_it_are_written_together(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    [published] = await events(harness)
    [kept] = await harness.rows("SELECT case_id, reporter_ref, title, access_hash FROM report")
    assert published.case_id == kept.case_id == UUID(receipt["case_id"])
    assert (published.version, published.state, published.owner) == (1, CaseState.RECEIVED, Service.TRIAGE)
    assert published.report.submitted_at.isoformat().replace("+00:00", "Z") == receipt["submitted_at"]
    assert kept.title == "Jalan berlubang di depan rumah [nama]"
    assert receipt["access_code"].replace("-", "").encode() not in kept.access_hash


async def test_no_table_shows_personal_data(harness: IntakeHarness) -> None:
    await harness.submit(headers={"Idempotency-Key": "kunci-siti"})
    telling = re.compile(rb"\bsiti\b|nurhaliza|contoh\.id|81234567890|3456.7890|kunci", re.IGNORECASE)
    for table in ("report", "reporter", "personal_data", "idempotency", "outbox"):
        [row] = await harness.rows(f"SELECT * FROM {table}")
        for value in row:
            assert not telling.search(value if isinstance(value, bytes) else str(value).encode()), table


async def test_a_hundred_equal_submissions_at_once_make_one_report(two_replicas: IntakeHarness) -> None:
    answers = await two_replicas.at_once([(n % 2, a_report(), "satu") for n in range(100)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await events(two_replicas)) == 1
    [count] = await two_replicas.rows("SELECT count(*) FROM report")
    assert count[0] == 1


async def test_many_keys_on_two_replicas_in_opposite_orders_neither_block_nor_double(two_replicas: IntakeHarness) -> None:
    keys = [f"kunci {n}" for n in range(40)]
    posts = [(0, a_report(), key) for key in keys] + [(1, a_report(), key) for key in reversed(keys)]
    answers = await two_replicas.at_once(posts)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["tracking_id"] for answer in answers}) == len(keys) == len(await events(two_replicas))


async def test_of_two_bodies_under_one_key_of_a_clerk_at_once_one_wins(harness: IntakeHarness) -> None:
    answers = await harness.at_once([(0, a_report(title=f"Judul {n % 2}", channel="letter"), "satu") for n in range(20)], bearer("clerk"))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 10
    assert {answer.json().get("code") for answer in answers} == {None, "idempotency_key_reused"}
    assert len(await events(harness)) == 1


async def test_people_without_a_token_share_no_keys(harness: IntakeHarness) -> None:
    answers = await harness.at_once([(0, a_report(title=f"Judul {n % 4}"), "satu") for n in range(20)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["access_code"] for answer in answers}) == len(await events(harness)) == 4


async def test_a_retry_after_the_receipts_are_purged_is_a_new_report(harness: IntakeHarness) -> None:
    first = await harness.submit(headers={"Idempotency-Key": "satu"})
    await harness.run("UPDATE idempotency SET created_at = now() - interval '47 hours'")
    await Maintenance(harness.app.database, 365).purge()
    assert (await harness.submit(headers={"Idempotency-Key": "satu"}))["tracking_id"] == first["tracking_id"]
    await harness.run("UPDATE idempotency SET created_at = now() - interval '49 hours'")
    await Maintenance(harness.app.database, 365).purge()
    assert (await harness.submit(headers={"Idempotency-Key": "satu"}))["tracking_id"] != first["tracking_id"]


async def test_a_report_received_by_hand_starts_when_it_was_received(harness: IntakeHarness) -> None:
    received = harness.app.clock.now() - timedelta(days=3)
    there = received.astimezone(ZoneInfo("Asia/Jayapura")).isoformat()
    await harness.submit(headers=bearer("clerk"), channel="telephone", original_received_at=there)
    [published] = await events(harness)
    assert published.occurred_at == received
    assert published.actor is not None
    assert (published.actor.role, published.actor.subject) == (Role.CLERK, "clerk-7")


@pytest.mark.parametrize(
    ("channel", "who", "status"),
    [
        ("web", None, 201),
        ("mobile", None, 201),
        ("letter", None, 401),
        ("letter", "forged", 401),
        ("letter", "administrator", 403),
        ("sms", "clerk", 201),
        ("agency_application", "agency-system", 201),
        ("letter", "agency-system", 403),
    ],
)
async def test_who_may_submit_over_which_channel(harness: IntakeHarness, channel: str, who: str | None, status: int) -> None:
    answer = await harness.http.post("/v1/reports", json=a_report(channel=channel), headers=bearer(who) if who else {})
    assert answer.status_code == status
    assert len(await events(harness)) == (status == 201)


@pytest.mark.parametrize(
    ("body", "headers", "status", "problem"),
    [
        (b"{", {}, 400, "not_json"),
        (b"", {}, 400, "not_json"),
        (json.dumps(a_report())[:-1].encode() + b', "title": "another"}', {}, 400, "json_refused"),
        (json.dumps(a_report())[:-1].encode() + b', "place": ' + b"[" * 40 + b"]" * 40 + b"}", {}, 400, "json_refused"),
        (json.dumps(a_report())[:-1].encode() + b', "loss_rupiah": 1' + b"0" * 200 + b"}", {}, 400, "json_refused"),
        (b"\xff\xfe", {}, 400, "not_json"),
        (b'{"title":"\\ud800"}', {}, 400, "not_json"),
        (b"[]", {}, 422, "invalid_request"),
        (json.dumps(a_report(body="nul \x00")).encode(), {}, 422, "invalid_request"),
        (json.dumps(a_report(title=["a"])).encode(), {}, 422, "invalid_request"),
        (json.dumps(a_report(body="x" * 300_000)).encode(), {}, 413, "too_large"),
        (json.dumps(a_report()).encode(), {"Content-Type": "text/plain"}, 415, "not_json"),
        (json.dumps(a_report()).encode(), {"Idempotency-Key": "x" * 201}, 422, "bad_key"),
        (json.dumps(a_report()).encode(), {"Idempotency-Key": ""}, 422, "bad_key"),
    ],
)
async def test_a_request_that_is_wrong_gets_a_problem_that_says_so(
    harness: IntakeHarness, body: bytes, headers: dict[str, str], status: int, problem: str
) -> None:
    answer = await harness.http.post("/v1/reports", content=body, headers={"Content-Type": "application/json"} | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, problem)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert await events(harness) == []


async def test_an_invalid_field_is_named_without_repeating_its_value(harness: IntakeHarness) -> None:
    answer = await harness.http.post("/v1/reports", json=a_report(reporter={"email": "siti@rahasia"}))
    [error] = answer.json()["errors"]
    assert error["field"] == "reporter.email"
    assert "rahasia" not in answer.text


async def test_one_spoiled_report_does_not_spoil_those_that_wait_with_it(harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await harness.submit()
    taken = iter([first["tracking_id"]])
    monkeypatch.setattr("intake.application.handlers.new_tracking_id", lambda: next(taken, None) or new_tracking_id())
    answers = await harness.at_once([(0, a_report(), f"kunci {n}") for n in range(10)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["tracking_id"] for answer in answers} | {first["tracking_id"]}) == 11


async def test_where_no_free_tracking_id_is_drawn_the_client_is_asked_to_come_again(
    harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await harness.submit()
    taken = iter([first["tracking_id"]] * 3)
    monkeypatch.setattr("intake.application.handlers.new_tracking_id", lambda: next(taken, None) or new_tracking_id())
    answer = await harness.http.post("/v1/reports", json=a_report(), headers={"Idempotency-Key": "kunci"})
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "no_tracking_id", "1")
    again = await harness.http.post("/v1/reports", json=a_report(), headers={"Idempotency-Key": "kunci"})
    assert again.status_code == 201
    assert len(await events(harness)) == 2


async def test_the_receipt_opens_the_report(harness: IntakeHarness) -> None:
    receipt: dict[str, Any] = await harness.submit()
    answer = await harness.http.get(receipt["status_url"], headers=code(receipt))
    assert answer.status_code == 200
    assert answer.json()["state"]["bucket"]["id"] == "Belum Terverifikasi"


async def test_a_letter_without_any_contact_is_taken_and_can_be_read_again(harness: IntakeHarness) -> None:
    letter = a_report(channel="complaint_box")
    del letter["reporter"]
    answer = await harness.http.post("/v1/reports", json=letter, headers=bearer("clerk"))
    assert answer.status_code == 201, answer.text
    [row] = await harness.rows("SELECT case_id, reporter_ref FROM report")
    wanted = {"contacts": [{"case_id": str(row.case_id), "reporter_ref": str(row.reporter_ref), "purpose": "notice:receipt"}]}
    found = (await harness.http.post("/v1/contacts/lookup", json=wanted, headers=bearer("notifier"))).json()
    [contact] = found["contacts"]
    assert (contact["name"], contact["email"], contact["phone"]) == (None, None, None)
