"""One trace of one report: from the request that brought it, over every hop, to the mail."""

from collections import defaultdict
from secrets import token_hex

from tests.support.platform import A_REPORT, TIMEOUT_S, Json, Platform, receipt_of
from tests.support.waiting import until
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service

BANDUNG = "kota-32-73"


async def test_one_trace_shows_the_request_every_hop_and_the_mail(platform: Platform) -> None:
    trace_id = token_hex(16)
    answer = await platform.http.post(
        f"{platform.url('intake')}/v1/reports",
        json=A_REPORT | {"addressed_agency": BANDUNG},
        headers={"traceparent": f"00-{trace_id}-{token_hex(8)}-01"},
    )
    receipt = receipt_of(answer)
    await platform.until_mails(receipt.tracking_id, "telah kami terima", "diteruskan")

    def recorded() -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = defaultdict(list)
        for span in platform.spans():
            if span["trace_id"] == trace_id:
                found[span["service"]].append(span)
        return found

    wanted = {
        Service.INTAKE: {"POST /v1/reports", "process CaseForwarded"},
        Service.TRIAGE: {"process ReportSubmitted"},
        Service.DISPATCH: {"process CaseForwarded"},
        Service.SLA_MONITOR: {"process CaseForwarded"},
        Service.NOTIFIER: {"process ReportSubmitted", "process CaseForwarded", "send receipt", "send forwarded"},
    }

    async def complete() -> dict[str, list[Json]] | None:
        spans = recorded()
        return spans if all(names <= {s["name"] for s in spans[service]} for service, names in wanted.items()) else None

    by_service = await until(
        complete, f"trace {trace_id} shows {wanted}; it has { {s: [x['name'] for x in f] for s, f in recorded().items()} }", TIMEOUT_S
    )
    spans = [span for found in by_service.values() for span in found]
    known = {span["span_id"] for span in spans}
    roots = [span for span in spans if span["parent_id"] not in known]
    assert [root["name"] for root in roots] == ["POST /v1/reports"], "every other span hangs below the request"
    assert {span["name"].split()[0] for span in spans if span["kind"] == "PRODUCER"} == {"publish"}, "the hops through the outbox are shown"

    published = list(await platform.events(receipt.case_id))
    assert {r.header("traceparent").split("-")[1] for r in published} == {trace_id}
    assert {r.topic for r in published} == {CASES.name}


async def test_a_trace_that_was_not_sampled_leaves_no_spans(platform: Platform) -> None:
    trace_id = token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{token_hex(8)}-00"}
    receipt = receipt_of(await platform.http.post(f"{platform.url('intake')}/v1/reports", json=A_REPORT, headers=headers))
    await platform.until_mails(receipt.tracking_id, "telah kami terima")
    # spans are written after a moment: one of a later, sampled report shows that this moment is over
    later = token_hex(16)
    headers = {"traceparent": f"00-{later}-{token_hex(8)}-01"}
    other = receipt_of(await platform.http.post(f"{platform.url('intake')}/v1/reports", json=A_REPORT, headers=headers))
    await platform.until_mails(other.tracking_id, "telah kami terima")

    async def written() -> bool:
        return "send receipt" in {span["name"] for span in platform.spans() if span["trace_id"] == later}

    await until(written, "the spans of the later report", TIMEOUT_S)
    assert [span for span in platform.spans() if span["trace_id"] == trace_id] == []
