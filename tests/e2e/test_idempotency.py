"""A retry never makes a second report, command or reply, however many come at once."""

import asyncio
from uuid import uuid4

from tests.support.platform import A_REPORT, Platform
from tuntas_contracts.vocabulary import Role

BANDUNG = "kota-32-73"
AT_ONCE = 100


async def test_a_hundred_equal_submissions_at_once_make_one_report(platform: Platform) -> None:
    key, url = str(uuid4()), f"{platform.url('intake')}/v1/reports"
    before = await platform.query("intake", "SELECT count(*) AS number FROM report")
    answers = await asyncio.gather(*(platform.http.post(url, json=A_REPORT, headers={"Idempotency-Key": key}) for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1, "every answer is the same receipt"
    after = await platform.query("intake", "SELECT count(*) AS number FROM report")
    assert after[0]["number"] == before[0]["number"] + 1

    other = await platform.http.post(url, json=A_REPORT | {"title": "Jalan berlubang"}, headers={"Idempotency-Key": key})
    assert other.status_code == 201, "somebody else may have chosen the same key"
    assert other.json()["case_id"] != answers[0].json()["case_id"]
    case_id = answers[0].json()["case_id"]
    assert len(await platform.until_events(case_id, "ReportSubmitted")) == 1
    await platform.until_events(case_id, "CaseReceived")
    assert len(await platform.events(case_id)) == 2


async def test_two_reporters_may_choose_the_same_words_but_not_the_same_report(platform: Platform) -> None:
    first, second = await asyncio.gather(platform.submit(), platform.submit())
    assert (first.case_id, first.tracking_id, first.access_code) != (second.case_id, second.tracking_id, second.access_code)


async def test_an_officer_s_retry_changes_nothing_more(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.accept(receipt, BANDUNG, "layanan")
    path, key = f"/v1/cases/{receipt.case_id}/answer", {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(
            platform.call(
                "dispatch", "POST", path, role=Role.LIAISON_OFFICER, agency=BANDUNG, headers=key, json={"answer": "Sudah diperbaiki."}
            )
            for _ in range(20)
        )
    )
    assert {(a.status_code, a.json()["version"], a.json()["answers"]) for a in answers} == {(200, 4, 1)}
    await platform.until_state(receipt, "responded")
    assert len(await platform.events(receipt.case_id, "CaseAnswered")) == 1
    other = await platform.call(
        "dispatch", "POST", path, role=Role.LIAISON_OFFICER, agency=BANDUNG, headers=key, json={"answer": "Jawaban lain."}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_reporter_s_retry_is_one_reply(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.handle(receipt, BANDUNG, "layanan")
    await platform.answer(receipt, BANDUNG)
    await platform.until_state(receipt, "responded")
    url = f"{platform.url('intake')}/v1/reports/{receipt.tracking_id}/reply"
    headers = receipt.code | {"Idempotency-Key": "balasan-1"}
    answers = await asyncio.gather(*(platform.http.post(url, json={"text": "Belum selesai."}, headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["input_id"] for answer in answers}) == 1
    await platform.until_state(receipt, "in_progress", version=5)
    assert len(await platform.events(receipt.case_id, "CaseResumed", "InputRefused")) == 1
    other = await platform.http.post(url, json={"text": "Lain."}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
