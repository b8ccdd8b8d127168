"""Garbage on the topics: the sound messages of others pass, the bad ones are parked or refused with the reason."""

import asyncio
from collections import Counter
from time import monotonic
from typing import Any
from uuid import uuid4

from tests.support.malformed import A_TIME, headers_of, malformed_records
from tests.support.platform import TIMEOUT_S, Json, Platform
from tests.support.waiting import until
from tuntas_contracts.agencies import AcceptCase, AnswerCase
from tuntas_contracts.cases import CaseForwarded
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import CaseState, Classification, Role, Service, Transition

BANDUNG, BOGOR = "kota-32-73", "kab-32-01"
PIECES = 1_000
OPERATOR: dict[str, Any] = {"role": Role.OPERATOR}


async def parked(platform: Platform, service: str) -> list[Json]:
    """Every dead letter of a service, page by page."""
    found: list[Json] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await platform.call(service, "GET", "/v1/parked", **OPERATOR, params={"limit": "500"} | cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def sound_reports(platform: Platform, count: int) -> None:
    """Submit reports and wait until each is at its agency."""
    receipts = await asyncio.gather(*(platform.submit(addressed_agency=BANDUNG) for _ in range(count)))
    await asyncio.gather(*(platform.until_state(receipt, "at_agency") for receipt in receipts))
    for receipt in receipts:
        await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(BANDUNG))


async def test_a_thousand_pieces_on_the_cases_topic_are_parked_and_nobody_else_waits(platform: Platform) -> None:
    before = {service: len(await parked(platform, service)) for service in Service}
    pieces = malformed_records(PIECES, CaseForwarded.__name__)
    third = PIECES // 3
    for at in range(0, PIECES, third):
        await asyncio.gather(platform.produce(CASES.name, pieces[at : at + third]), sound_reports(platform, 15))
    unknown = [(str(uuid4()).encode(), b"{}", headers_of("CasePraised")) for _ in range(50)]
    await platform.produce(CASES.name, unknown)

    for service in Service:

        async def all_parked(service: Service = service) -> list[Json] | None:
            found = await parked(platform, service)
            return found if len(found) - before[service] >= PIECES else None

        found = await until(all_parked, f"{service} has parked {PIECES} pieces", TIMEOUT_S)
        assert len(found) - before[service] == PIECES, "the unknown type was skipped, not parked"
        ours = found[before[service] :]
        assert all(item["error"] and item["error_type"] and item["topic"] == CASES.name for item in ours)
        reasons = Counter(item["error"] for item in ours)
        assert len(reasons) >= 5, f"the reasons distinguish the sorts: {reasons}"
        ready = await platform.http.get(f"{platform.url(service)}/readyz")
        assert ready.status_code == 200, ready.text
        metrics = (await platform.http.get(f"{platform.url(service)}/metrics")).text
        assert "tuntas_parked_messages" in metrics
        assert not any(line.startswith("tuntas_consumer_halted_partitions") and not line.endswith(" 0.0") for line in metrics.splitlines())

    # an operator looks at one of each sort, tries it again in vain, and gives one up
    for one in {item["error"]: item["id"] for item in ours}.values():
        path = f"/v1/parked/{one}"
        shown = await platform.call(service, "GET", path, **OPERATOR)
        assert shown.status_code == 200, shown.text
        assert shown.json()["position"].startswith(CASES.name)
        again = await platform.call(service, "POST", f"{path}/replay", **OPERATOR)
        assert again.status_code == 200, (shown.json()["error"], again.text)
        assert (again.json()["replayed"], bool(again.json()["error"])) == (0, True)
    discarded = await platform.call(service, "POST", f"{path}/discard", **OPERATOR)
    assert discarded.status_code == 200
    assert one not in {item["id"] for item in await parked(platform, service)}
    twice = await platform.call(service, "POST", f"{path}/discard", **OPERATOR)
    assert twice.status_code in (404, 409)


async def test_a_case_with_garbage_under_its_key_waits_until_an_operator_discards_it(platform: Platform) -> None:
    receipt = await platform.submit(category="transport")
    await platform.until_state(receipt, "received", version=2)
    await platform.until_idle()
    key = str(receipt.case_id).encode()
    await platform.produce(CASES.name, [(key, b"{", headers_of(CaseForwarded.__name__))])

    async def of_case(service: str) -> list[Json]:
        return [item for item in await parked(platform, service) if item["key"] == str(receipt.case_id)]

    for service in Service:

        async def one_parked(service: Service = service) -> bool:
            return len(await of_case(service)) == 1

        await until(one_parked, f"{service} parks it", TIMEOUT_S)
    await platform.forward(receipt, BANDUNG)

    async def waits_behind() -> bool:
        return [item["state"] for item in await of_case("dispatch")] == ["parked", "waiting"]

    await until(waits_behind, "the hand-over waits behind the garbage", TIMEOUT_S)
    assert await platform.agency_messages(BANDUNG, receipt.case_id) == []

    # triage reads nothing more of the case: only its dead letters
    for service in Service:
        for item in await of_case(service):
            if item["state"] == "parked":
                answer = await platform.call(service, "POST", f"/v1/parked/{item['id']}/discard", **OPERATOR)
                assert answer.status_code == 200, answer.text
    await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(BANDUNG))
    await platform.accept(receipt, BANDUNG, "layanan")
    await platform.until_state(receipt, "dispatched", version=4)
    assert {service: len(await of_case(service)) for service in Service} == dict.fromkeys(Service, 0)


async def test_a_hand_over_that_does_not_lie_under_its_case_s_key_reaches_no_agency(platform: Platform) -> None:
    """The key is what keeps a case's events in order: a sound event without it is parked."""
    report = ReportContent(
        tracking_id="TEST",
        reporter_ref=uuid4(),
        classification=Classification.COMPLAINT,
        title="Judul",
        body="Isi",
        submitted_at=A_TIME,
        profile="permenpan-62-2018",
    )
    keyless, misplaced = uuid4(), uuid4()
    for case_id, key in ((keyless, None), (misplaced, str(uuid4()).encode())):
        forwarded = CaseForwarded(
            case_id=case_id,
            version=2,
            occurred_at=A_TIME,
            transition=Transition.T2,
            state=CaseState.AT_AGENCY,
            owner=Service.DISPATCH,
            agency=BANDUNG,
            time_zone="Asia/Jakarta",
            report=report,
            published=False,
        )
        headers = headers_of(CaseForwarded.__name__, subject=str(case_id))
        await platform.produce(CASES.name, [(key, forwarded.model_dump_json().encode(), headers)])

    for service in (Service.TRIAGE, Service.DISPATCH, Service.SLA_MONITOR):

        async def both_parked(service: Service = service) -> bool:
            errors = [item["error"] for item in await parked(platform, service)]
            return any("has no key" in error for error in errors) and any(str(misplaced) in error for error in errors)

        await until(both_parked, f"{service} parks both", TIMEOUT_S)
    for case_id in (keyless, misplaced):
        assert await platform.agency_messages(BANDUNG, case_id) == []


async def test_garbage_of_one_agency_is_refused_with_reasons_and_slows_nobody(platform: Platform) -> None:
    before = len(await parked(platform, "dispatch"))
    mine = await platform.submit(addressed_agency=BOGOR)
    theirs = await platform.submit(addressed_agency=BANDUNG)
    for receipt, agency in ((mine, BOGOR), (theirs, BANDUNG)):
        await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(agency))
    refusals_before = len([r for r in await platform.read_topics() if r.kind == "ActionRefused"])

    pieces = malformed_records(PIECES, AnswerCase.__name__)
    await platform.produce(AGENCY_ACTIONS.for_agency(BOGOR), pieces[: PIECES // 2])
    began = monotonic()
    await platform.command(BANDUNG, AcceptCase(case_id=theirs.case_id, unit="layanan"))
    await platform.command(BOGOR, AcceptCase(case_id=mine.case_id, unit="layanan"))
    await platform.produce(AGENCY_ACTIONS.for_agency(BOGOR), pieces[PIECES // 2 :])
    await platform.until_events(theirs.case_id, "CaseChanged", topic=AGENCY_CASES.for_agency(BANDUNG))
    assert monotonic() - began < 30, "another agency's command waited for the garbage"
    await platform.until_events(mine.case_id, "CaseChanged", topic=AGENCY_CASES.for_agency(BOGOR))

    async def all_refused() -> list[Json] | None:
        found = [r.body for r in await platform.read_topics() if r.kind == "ActionRefused"][refusals_before:]
        return found if len(found) >= PIECES else None

    refused = await until(all_refused, "every piece is refused", TIMEOUT_S)
    assert len(refused) == PIECES
    assert {r["agency"] for r in refused} == {BOGOR}
    assert all(len(r["detail"]) > 15 and r["code"] for r in refused)
    assert len({r["position"] for r in refused}) == PIECES, "each refusal names the record that it is about"
    assert len(await parked(platform, "dispatch")) == before, "an agency's garbage is never parked"
