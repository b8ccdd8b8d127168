"""A report walks through the whole platform, as its reporter, the officers and the agencies see it."""

from typing import Any

import pytest

from tests.support.platform import TIMEOUT_S, Platform, Receipt
from tests.support.waiting import until
from tuntas_contracts.topology import AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import Role

BANDUNG, BOGOR = "kota-32-73", "kab-32-01"
ADMIN = Role.NATIONAL_ADMINISTRATOR


def transitions(status: dict[str, object]) -> list[str]:
    """The numbered transitions in the history that a reporter sees, in order."""
    history = status["history"]
    assert isinstance(history, list)
    return [item["transition"] for item in history if item["transition"]]


async def versions_are_whole(platform: Platform, receipt: Receipt) -> None:
    """The owners' events of the case count 1, 2, 3 … in the order of the topic."""
    events = [r for r in await platform.events(receipt.case_id) if "version" in r.body]
    assert [r.body["version"] for r in events] == list(range(1, len(events) + 1)), [r.kind for r in events]


async def test_a_report_that_names_an_agency_is_on_its_topic_and_its_reporter_knows(platform: Platform) -> None:
    receipt = await platform.submit(
        addressed_agency=BANDUNG,
        body="Lampu padam. Hubungi saya Sekar Ayu Wulandari di 0812-3456-7890 atau sekar.ayu@surat.example, terima kasih.",
        reporter={"name": "Sekar Ayu Wulandari", "email": "sekar.ayu@surat.example", "phone": "081234567890"},
    )
    assert {item["kind"] for item in receipt.answer["masked"]} == {"nama", "telepon", "email"}
    status = await platform.until_state(receipt, "at_agency")
    assert status["agency"] == BANDUNG
    assert transitions(status) == ["T2"]

    assigned = await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(BANDUNG))
    assert len(assigned) == 1
    message = assigned[0].body
    assert (message["version"], message["state"], message["transition"]) == (2, "at_agency", "T2")
    assert "Sekar" not in assigned[0].text
    assert "3456" not in assigned[0].text

    letters = await platform.until_mails(receipt.tracking_id, "telah kami terima", "diteruskan kepada")
    assert all(mail.to == ["sekar.ayu@surat.example"] for mail in letters)
    assert all("Yth. Sekar Ayu Wulandari" in mail.body for mail in letters)
    assert receipt.access_code not in "".join(mail.body for mail in letters)


async def test_only_the_access_code_opens_a_report(platform: Platform) -> None:
    receipt, other = await platform.submit(), await platform.submit()
    path = f"/v1/reports/{receipt.tracking_id}"
    sloppy = {"X-Access-Code": receipt.access_code.lower().replace("-", "")}
    assert (await platform.call("intake", "GET", f"/v1/reports/{receipt.tracking_id.lower()}", headers=sloppy)).status_code == 200
    wrong = [{"X-Access-Code": other.access_code}, {"X-Access-Code": "0000-0000-0000-0000"}]
    for headers in wrong:
        refused = await platform.call("intake", "GET", path, headers=headers)
        assert refused.status_code == 404
        assert refused.headers["content-type"] == "application/problem+json"
    unknown = await platform.call("intake", "GET", "/v1/reports/AAAA-AAAA-AAAA", headers=receipt.code)
    assert unknown.status_code == 404
    # whoever guesses learns nothing from the difference
    assert unknown.json()["detail"] == refused.json()["detail"]
    assert (await platform.call("intake", "GET", path)).status_code == 422


async def test_verified_accepted_answered_replied_and_confirmed(platform: Platform) -> None:
    receipt = await platform.submit(category="transport")
    await platform.until_state(receipt, "received", version=2)

    async def queued() -> object:
        cursor, found = None, []
        while True:
            answer = await platform.call(
                "triage", "GET", "/v1/queue", role=ADMIN, params={"limit": 200} | ({"cursor": cursor} if cursor else {})
            )
            page = answer.json()
            found += page["cases"]
            if (cursor := page["next_cursor"]) is None:
                return next((case for case in found if case["case_id"] == str(receipt.case_id)), None)

    case = await until(queued, "the report is in the national queue", TIMEOUT_S)
    assert (case["state"], case["waiting_reason"], case["clock"]) == ("received", "no_agency_addressed", "C1")

    assert (await platform.forward(receipt, BANDUNG, title="Lampu jalan padam di Pasar Kosambi"))["state"] == "at_agency"
    assert await queued() is None
    accepted = await platform.accept(receipt, BANDUNG, "dinas-perhubungan", normative=True)
    assert (accepted["state"], accepted["service_class"], accepted["completion_limit"]) == ("dispatched", "normative", 5)
    assert (await platform.follow_up(receipt, BANDUNG))["state"] == "in_progress"
    assert (await platform.answer(receipt, BANDUNG, "Lampu telah diganti pada hari Senin."))["state"] == "responded"

    answered = await platform.until_state(receipt, "responded")
    assert answered["history"][-1]["text"] == "Lampu telah diganti pada hari Senin."
    assert answered["reply_possible_until"] is not None
    await platform.reply(receipt, "Lampunya padam lagi semalam, hubungi sekar.ayu@surat.example.")
    await platform.until_state(receipt, "in_progress", version=7)
    resumed = await platform.until_events(receipt.case_id, "CaseChanged", count=4, topic=AGENCY_CASES.for_agency(BANDUNG))
    assert "padam lagi semalam" in resumed[-1].body["text"]
    assert "sekar.ayu" not in resumed[-1].text
    await platform.answer(receipt, BANDUNG, "Kabel telah diganti seluruhnya.")
    await platform.until_state(receipt, "responded", version=8)
    await platform.confirm(receipt, 4)

    closed = await platform.until_state(receipt, "closed")
    assert transitions(closed) == ["T1", "T3", "T4", "T14", "T15", "T16", "T15", "T18"]
    assert closed["history"][-1]["rating"] == 4
    await versions_are_whole(platform, receipt)
    changes = await platform.until_events(receipt.case_id, count=7, topic=AGENCY_CASES.for_agency(BANDUNG))
    assert [(r.kind, r.body["transition"]) for r in changes] == [("CaseAssigned", "T3")] + [
        ("CaseChanged", t) for t in ("T4", "T14", "T15", "T16", "T15", "T18")
    ]
    assert [r.body["version"] for r in changes] == [3, 4, 5, 6, 7, 8, 9]

    await platform.until_mails(receipt.tracking_id, "telah kami terima", "diteruskan", "telah dijawab", "Tanggapan Anda", "selesai")
    assert len([mail for mail in platform.mails(receipt.tracking_id) if "telah dijawab" in mail.subject]) == 2

    async def every_clock() -> bool:
        started = [clock for kind, clock, _ in await platform.deadlines(receipt.case_id) if kind == "DeadlineSet"]
        return sorted(started) == ["C1", "C2", "C3", "C4", "C6", "C6", "C8"]

    await until(every_clock, "each clock of the walk was set", TIMEOUT_S)


async def test_an_agency_may_handle_a_case_itself(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    handled = await platform.handle(receipt, BANDUNG, "layanan", supervision_content=True, field_inspection=True)
    assert (handled["state"], handled["service_class"], handled["completion_limit"]) == ("in_progress", "supervisory", 60)
    assert transitions(await platform.until_state(receipt, "in_progress")) == ["T2", "T5"]


async def test_the_second_bounce_ends_in_a_binding_arbitration(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.return_case(receipt, BANDUNG, "Jalan ini milik kabupaten.")
    back = await platform.until_state(receipt, "received", version=3)
    assert transitions(back) == ["T2", "T10"]
    again = await platform.call_until_known("triage", "POST", f"/v1/cases/{receipt.case_id}/forward", role=ADMIN, json={"agency": BANDUNG})
    assert (again.status_code, again.json()["code"]) == (409, "returned_by_this_agency")
    await platform.forward(receipt, BOGOR)
    await platform.return_case(receipt, BOGOR, "Jalan ini milik kota.")
    await platform.until_state(receipt, "received", version=5)

    async def bounced_twice() -> bool:
        waiting = (await platform.call_until_known("triage", "GET", f"/v1/cases/{receipt.case_id}", role=ADMIN)).json()
        return (waiting["arbitration"], waiting["bounces"], waiting["clock"]) == (True, 2, "C10")

    await until(bounced_twice, "triage has the case back a second time, to be arbitrated", TIMEOUT_S)

    await platform.forward(receipt, BANDUNG)
    refused = await platform.call_until_known(
        "dispatch",
        "POST",
        f"/v1/cases/{receipt.case_id}/return",
        role=Role.AGENCY_ADMINISTRATOR,
        agency=BANDUNG,
        json={"reason": "Bukan kami."},
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "binding_arbitration")
    status = await platform.until_state(receipt, "at_agency", version=6)
    assert transitions(status) == ["T2", "T10", "T3", "T10", "T3"]
    await versions_are_whole(platform, receipt)
    assigned = await platform.until_events(receipt.case_id, "CaseAssigned", count=2, topic=AGENCY_CASES.for_agency(BANDUNG))
    assert [r.body["version"] for r in assigned] == [2, 6]


async def test_an_archived_case_has_a_reason_and_its_reporter_is_notified(platform: Platform) -> None:
    receipt = await platform.submit(title="Tolong diperbaiki", body="Tolong semuanya diperbaiki segera.")
    await platform.until_state(receipt, "received", version=2)
    archived = await platform.archive(receipt, "too_general", note="Sebutkan tempat dan waktunya.")
    assert (archived["state"], archived["owner"]) == ("archived", "triage")
    status = await platform.until_state(receipt, "archived")
    assert status["history"][-1]["reason"] == "too_general"
    assert status["history"][-1]["text"] == "Sebutkan tempat dan waktunya."
    await platform.until_mails(receipt.tracking_id, "diarsipkan")
    late = await platform.call("intake", "POST", f"/v1/reports/{receipt.tracking_id}/reply", headers=receipt.code, json={"text": "Lho?"})
    assert late.status_code == 409
    twice = await platform.call("triage", "POST", f"/v1/cases/{receipt.case_id}/archive", role=ADMIN, json={"reason": "spam"})
    assert (twice.status_code, twice.json()["code"]) == (409, "case_archived")


async def test_a_disaster_goes_straight_to_the_officer_in_charge(platform: Platform) -> None:
    receipt = await platform.submit(
        title="Tanah longsor menutup jalan desa",
        category="other-strategic.disasters",
        body="Tanah longsor menutup jalan, warga terisolasi.",
    )
    status = await platform.until_state(receipt, "dispatched")
    assert transitions(status) == ["T21"]
    assert status["agency"] == "bnpb"
    [assigned] = await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency("bnpb"))
    assert (assigned.body["unit"], assigned.body["transition"]) == ("pusdalops", "T21")
    await platform.until_mails(receipt.tracking_id, "telah kami terima", "diteruskan")
    [letter] = [mail for mail in platform.mails(receipt.tracking_id) if "diteruskan" in mail.subject]
    assert "jalur cepat" in letter.body


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"addressed_agency": BANDUNG, "misconduct": True}, "misconduct"),
        ({"addressed_agency": BANDUNG, "anonymous": True, "secret": True}, "anonymous_and_secret"),
        ({"addressed_agency": "kementerian-kesepian"}, "unknown_agency"),
    ],
)
async def test_what_must_not_reach_an_agency_waits_at_the_centre(platform: Platform, fields: dict[str, Any], reason: str) -> None:
    receipt = await platform.submit(**fields)
    await platform.until_state(receipt, "received", version=2)
    [received] = await platform.events(receipt.case_id, "CaseReceived", topic=CASES.name)
    assert received.body["reason"] == reason
    assert await platform.agency_messages(BANDUNG, receipt.case_id) == []
    if reason == "misconduct":
        refused = await platform.call("triage", "POST", f"/v1/cases/{receipt.case_id}/forward", role=ADMIN, json={"agency": BANDUNG})
        assert (refused.status_code, refused.json()["code"]) == (409, "misconduct_stays_national")
