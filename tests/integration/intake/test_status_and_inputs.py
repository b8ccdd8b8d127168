"""What a reporter with a receipt sees and does, on a real PostgreSQL."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from intake.domain.receipts import new_tracking_id
from intake.domain.wrong_tries import PER_SOURCE
from tests.integration.intake.harness import IntakeHarness, code
from tests.unit.intake.builders import accepted, answered, content, event, forwarded
from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.cases import ReporterConfirmed, ReporterReplied
from tuntas_contracts.vocabulary import CaseState, Service

WRONG = {"X-Access-Code": "0000-0000-0000-0000"}


def life(receipt: dict[str, Any]) -> list[CaseEvent]:
    """Events that lead to an answer."""
    case_id = UUID(receipt["case_id"])
    return [make(case_id=case_id) for make in (forwarded, accepted, answered)]


def closed(receipt: dict[str, Any]) -> CaseEvent:
    return event(cases.CaseClosed, 5, CaseState.CLOSED, case_id=UUID(receipt["case_id"]), agency="dinas-pu", reason="no_reply")


async def status(harness: IntakeHarness, receipt: dict[str, Any]) -> dict[str, Any]:
    answer = await harness.http.get(receipt["status_url"], headers=code(receipt))
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def inputs(harness: IntakeHarness) -> list[InputEvent]:
    rows = await harness.rows("SELECT type, value FROM outbox WHERE type <> 'ReportSubmitted' ORDER BY id")
    kinds: dict[str, type[InputEvent]] = {kind.__name__: kind for kind in (ReporterReplied, ReporterConfirmed)}
    return [kinds[row.type].model_validate_json(row.value) for row in rows]


async def reply(harness: IntakeHarness, receipt: dict[str, Any], text: str = "Belum selesai", **headers: str) -> tuple[int, dict[str, Any]]:
    answer = await harness.http.post(receipt["status_url"] + "/reply", json={"text": text}, headers=code(receipt) | headers)
    return answer.status_code, answer.json()


async def confirm(harness: IntakeHarness, receipt: dict[str, Any], rating: int = 5, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = await harness.http.post(receipt["status_url"] + "/confirmation", json={"rating": rating}, headers=code(receipt) | headers)
    return answer.status_code, answer.json()


async def test_the_history_shows_every_answer_in_full(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    shown = await status(harness, receipt)
    assert (shown["state"]["code"], shown["agency"], shown["version"]) == ("responded", "dinas-pu", 4)
    assert [item["event"] for item in shown["history"]] == ["ReportSubmitted", "CaseForwarded", "CaseAccepted", "CaseAnswered"]
    assert shown["history"][-1]["text"] == "Jalan sudah diperbaiki."
    assert shown["reply_possible_until"] == "2026-03-25T23:59:59+08:00"


async def test_events_read_twice_or_after_a_restart_change_nothing(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    once = await status(harness, receipt)
    await harness.read(*life(receipt), *life(receipt))
    assert await status(harness, receipt) == once


async def test_an_event_of_a_case_that_is_unknown_here_does_no_harm(harness: IntakeHarness) -> None:
    await harness.read(forwarded(), answered())
    assert len(await harness.rows("SELECT 1 FROM case_history")) == 2


async def test_a_lost_report_is_put_back_from_the_topic_and_a_known_one_left(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    case_id = UUID(receipt["case_id"])
    back = event(cases.ReportSubmitted, 1, CaseState.RECEIVED, case_id=case_id, owner=Service.TRIAGE, report=content())
    await harness.read(back)
    assert (await status(harness, receipt))["tracking_id"] == receipt["tracking_id"]
    await harness.run("DELETE FROM report")
    await harness.read(back)
    [row] = await harness.rows("SELECT case_id, access_hash, title FROM report")
    assert (row.case_id, row.access_hash, row.title) == (case_id, None, "Jalan berlubang")
    answer = await harness.http.get("/v1/reports/" + content().tracking_id, headers=code(receipt))
    assert answer.status_code == 404


async def test_a_wrong_code_and_an_unknown_id_look_the_same(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    wrong = await harness.http.get(receipt["status_url"], headers=WRONG)
    unknown = await harness.http.get(f"/v1/reports/{new_tracking_id()}", headers=code(receipt))
    malformed = await harness.http.get("/v1/reports/tidak-ada", headers=code(receipt))
    assert wrong.status_code == unknown.status_code == malformed.status_code == 404
    assert wrong.content == unknown.content == malformed.content


async def test_the_right_code_opens_whatever_was_tried_before(harness: IntakeHarness) -> None:
    receipt, other = await harness.submit(), await harness.submit()
    tries = [(await harness.http.get(receipt["status_url"], headers=WRONG)).status_code for _ in range(PER_SOURCE + 30)]
    assert tries == [404] * PER_SOURCE + [429] * 30
    await status(harness, receipt)
    await status(harness, other)
    await harness.read(*life(receipt))
    assert (await reply(harness, receipt))[0] == 202
    blocked = await harness.http.get(other["status_url"], headers=WRONG)
    assert (blocked.status_code, blocked.headers["retry-after"]) == (429, "600")


async def test_wrong_tries_at_once_are_counted_each(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    answers = await asyncio.gather(*(harness.http.get(receipt["status_url"], headers=WRONG) for _ in range(PER_SOURCE + 10)))
    assert [answer.status_code for answer in answers].count(404) == PER_SOURCE


async def test_wrong_tries_at_unknown_ids_are_limited_too(harness: IntakeHarness) -> None:
    paths = [f"/v1/reports/{new_tracking_id()}" for _ in range(PER_SOURCE)] + ["/v1/reports/tidak-ada"]
    assert [(await harness.http.get(path, headers=WRONG)).status_code for path in paths] == [404] * PER_SOURCE + [429]
    assert 'tuntas_intake_access_failures_total{outcome="blocked"} 1.0' in (await harness.http.get("/metrics")).text


async def test_a_reply_goes_to_the_owner_masked_and_its_original_is_kept(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    status_code, accepted = await reply(harness, receipt, "Belum, kata Bu Siti; hubungi 81234567890")
    assert status_code == 202
    [sent] = await inputs(harness)
    assert isinstance(sent, ReporterReplied)
    assert (str(sent.input_id), sent.text) == (accepted["input_id"], "Belum, kata Bu [nama]; hubungi [telepon]")
    assert await harness.rows("SELECT 1 FROM personal_data WHERE source_id = :id", id=sent.input_id)
    [read] = await harness.rows("SELECT subject, purpose FROM access_log")
    assert read.subject == "reporter"


async def test_a_confirmation_carries_the_rating(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    assert (await confirm(harness, receipt, 4))[0] == 202
    [sent] = await inputs(harness)
    assert isinstance(sent, ReporterConfirmed)
    assert sent.rating == 4


async def test_ten_equal_replies_at_once_with_one_key_are_one_input(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    answers = await asyncio.gather(*(reply(harness, receipt, **{"Idempotency-Key": "satu"}) for _ in range(10)))
    assert {status_code for status_code, _ in answers} == {202}
    assert len({body["input_id"] for _, body in answers}) == 1 == len(await inputs(harness))


async def test_a_retry_is_answered_as_before_when_the_case_has_moved_on(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    first = await reply(harness, receipt, **{"Idempotency-Key": "satu"})
    await harness.read(closed(receipt))
    assert await reply(harness, receipt, **{"Idempotency-Key": "satu"}) == first
    assert len(await inputs(harness)) == 1


async def test_one_key_serves_one_input(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    await reply(harness, receipt, **{"Idempotency-Key": "satu"})
    assert (await reply(harness, receipt, "lain", **{"Idempotency-Key": "satu"}))[0] == 422
    assert (await confirm(harness, receipt, 5, **{"Idempotency-Key": "satu"}))[0] == 422
    assert len(await inputs(harness)) == 1


@pytest.mark.parametrize(("events", "says"), [(0, "tunggu"), (2, "tunggu"), (4, "selesai")])
async def test_before_an_answer_and_after_the_end_the_reporter_learns_what_to_do(harness: IntakeHarness, events: int, says: str) -> None:
    receipt = await harness.submit()
    await harness.read(*[*life(receipt), closed(receipt)][:events])
    for status_code, problem in (await reply(harness, receipt), await confirm(harness, receipt)):
        assert (status_code, problem["code"]) == (409, "not_answered")
        assert says in problem["detail"].lower()
    assert await inputs(harness) == []


@pytest.mark.parametrize(("path", "body"), [("reply", {"text": "belum"}), ("confirmation", {"rating": 5})])
async def test_nothing_is_accepted_without_the_code(harness: IntakeHarness, path: str, body: dict[str, Any]) -> None:
    receipt = await harness.submit()
    await harness.read(*life(receipt))
    url = f"{receipt['status_url']}/{path}"
    assert (await harness.http.post(url, json=body, headers=WRONG)).status_code == 404
    assert (await harness.http.post(url, json=body)).status_code == 422
    assert await inputs(harness) == []


@pytest.mark.parametrize("rating", [0, 6, "5", 4.5])
async def test_a_rating_is_a_whole_number_from_one_to_five(harness: IntakeHarness, rating: object) -> None:
    receipt = await harness.submit()
    answer = await harness.http.post(receipt["status_url"] + "/confirmation", json={"rating": rating}, headers=code(receipt))
    assert answer.status_code == 422
