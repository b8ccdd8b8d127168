"""Whatever is thrown at an endpoint, it answers in words what is wrong, never with an error of its own, and changes nothing."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.test_authorisation import ALLOWED, PUBLIC, is_problem
from tests.support.endpoints import Endpoint, all_endpoints
from tests.support.platform import A_REPORT, Platform, Receipt
from tuntas_contracts.vocabulary import AGENCY_ROLES, Role, Service

BANDUNG = "kota-32-73"
JSON = {"content-type": "application/json"}
LARGE = b'{"title": "' + b"a" * 300_000 + b'"}'
NOT_JSON = (b"{", b"", b"not json", b'{"unit": "layanan",}', b"\xff\xfe\x00", b'{"unit": "' + b"\xf0\x28\x8c" + b'"}')
NOT_AN_OBJECT = (b"[]", b'"layanan"', b"7", b"null", b"true")


@pytest.fixture(scope="module")
async def endpoints(platform: Platform) -> list[Endpoint]:
    """Every operation of every service."""
    return await all_endpoints(platform.http, {service: platform.url(service) for service in Service})


@pytest.fixture(scope="module")
async def receipt(platform: Platform) -> Receipt:
    """A case at Bandung, on which all that follows is tried in vain."""
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.until_state(receipt, "at_agency")
    await platform.until_idle()
    return receipt


def headers_for(platform: Platform, endpoint: Endpoint, receipt: Receipt) -> dict[str, str]:
    """What opens the endpoint."""
    roles = ALLOWED[endpoint.service][endpoint.method, endpoint.path]
    if roles == PUBLIC:
        return dict(receipt.code)
    role = sorted(roles)[0]
    return {"Authorization": f"Bearer {platform.token(role, BANDUNG if role in AGENCY_ROLES else None)}"}


def path_of(endpoint: Endpoint, receipt: Receipt, **others: str) -> str:
    """The endpoint's path for this case."""
    values = {"case_id": str(receipt.case_id), "message_id": str(uuid4()), "reporter_ref": str(uuid4()), "tracking_id": receipt.tracking_id}
    return endpoint.at(**(values | {"code": BANDUNG, "year": "2026"} | others))


async def unchanged(platform: Platform, receipt: Receipt) -> None:
    """The case is as it was."""
    assert [r.kind for r in await platform.events(receipt.case_id)] == ["ReportSubmitted", "CaseForwarded"]
    assert (await platform.status(receipt))["version"] == 2


async def test_bodies_that_are_no_json_no_object_or_too_large(platform: Platform, endpoints: list[Endpoint], receipt: Receipt) -> None:
    for endpoint in (e for e in endpoints if e.takes_body):
        url = platform.url(endpoint.service) + path_of(endpoint, receipt)
        headers = headers_for(platform, endpoint, receipt) | JSON

        async def send(
            body: bytes, what: object, *statuses: int, url: str = url, headers: dict[str, str] = headers, method: str = endpoint.method
        ) -> None:
            answer = await platform.http.request(method, url, content=body, headers=headers)
            assert answer.status_code in statuses, f"{what}: {answer.status_code} {answer.text}"
            is_problem(answer, answer.status_code, what)

        no_body = () if endpoint.needs_body else (b"", b"null")
        for body in (one for one in NOT_JSON if one not in no_body):
            await send(body, (str(endpoint), body), 400, 422)
        for body in (one for one in NOT_AN_OBJECT if one not in no_body):
            await send(body, (str(endpoint), body), 422)
        await send(LARGE, (str(endpoint), "300 KB"), 413)
        await send(b"[" * 100_000, (str(endpoint), "deep nesting"), 400, 422)
        await send(b'{"n": ' + b"9" * 5_000 + b"}", (str(endpoint), "a number of 5,000 digits"), 400, 422)
        await send(b'{"wrong": "field"}', (str(endpoint), "wrong field"), 422)
        await send(b'{"reason": "one", "reason": "another"}', (str(endpoint), "a field twice"), 400)
    await unchanged(platform, receipt)


async def test_a_body_without_length_is_cut_off_at_the_limit(platform: Platform) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 1_000

    answer = await platform.http.post(f"{platform.url('intake')}/v1/reports", content=endless(), headers=JSON)
    is_problem(answer, 413, "chunked body")


NUL = "lampu\x00padam"


def _these(*values: object) -> tuple[object, ...]:
    return values


def wrong_fields() -> Iterator[tuple[str, object]]:
    """A field of a report with a value that it can't have."""
    yield from (("title", bad) for bad in _these(None, 7, [], {}, "", "   ", NUL, "a" * 301, "baris\nbaris"))
    yield from (("body", bad) for bad in _these(None, 7, "", NUL, "a" * 20_001))
    yield from (("classification", bad) for bad in _these(None, "gossip", 1, True))
    yield from (
        ("reporter", bad) for bad in _these(None, {}, [], {"name": "Sekar"}, {"email": "nirgends"}, {"phone": "12"}, {"email": NUL})
    )
    yield ("reporter", {"email": "sekar@surat.example", "nik": "12"})
    yield ("reporter", {"email": "sekar@surat.example", "name": NUL})
    yield ("reporter", {"email": "a@b.example\r\nBcc: all@b.example"})
    yield from (("incident_date", bad) for bad in _these("yesterday", "2026-02-30", 5, "9999-01-01"))
    yield from (("addressed_agency", bad) for bad in _these("../etc", "", NUL, 5, "A B"))
    yield from (("category", bad) for bad in _these("no.such.category", 5, NUL))
    yield from (("place", bad) for bad in _these("Bandung", {"region_code": "x"}, {"latitude": 91}, {"longitude": "NaN"}, {"text": NUL}))
    yield from (("loss_rupiah", bad) for bad in _these(-1, "NaN", "Infinity", 1e300, True, "satu juta"))
    yield from (("misconduct", bad) for bad in _these("yes", 1, None))
    yield from (("language", bad) for bad in _these("Indonesian", "", NUL))
    yield ("original_received_at", "2026-01-05T08:00:00Z")
    yield ("unknown_field", "x")
    yield ("channel", "pigeon")


async def test_every_wrong_field_of_a_report_is_named(platform: Platform) -> None:
    before = await platform.query("intake", "SELECT count(*) AS number FROM report")
    for field, value in wrong_fields():
        answer = await platform.call("intake", "POST", "/v1/reports", json=A_REPORT | {field: value})
        is_problem(answer, 422, (field, value))
        named = [error["field"] for error in answer.json().get("errors", [])]
        # rules over several fields or over time name what is wrong in their detail
        assert any(name.startswith(field) for name in named) or answer.json()["code"] == "future_date" or field == "original_received_at", (
            field,
            value,
            answer.text,
        )
        assert NUL not in answer.text
    after = await platform.query("intake", "SELECT count(*) AS number FROM report")
    assert after == before


async def test_officers_commands_with_wrong_fields_change_nothing(platform: Platform, receipt: Receipt) -> None:
    wrong: dict[str, tuple[dict[str, object], ...]] = {
        "accept": (
            {"unit": None},
            {"unit": 7},
            {"unit": NUL},
            {"unit": ""},
            {"unit": "layanan", "normative": "very"},
            {"unit": "layanan", "x": 1},
        ),
        "handle": ({"unit": "layanan", "title": NUL}, {"unit": "layanan", "category": NUL}, {"unit": "layanan", "title": "a" * 301}),
        "return": ({"reason": ""}, {"reason": NUL}, {"reason": "a" * 20_001}, {"reason": ["x"]}),
        "follow-up": ({"note": ""}, {"note": NUL}, {"note": 5}),
        "answer": ({"answer": ""}, {"answer": NUL}, {"answer": "x", "evidence": [NUL]}, {"answer": "x", "evidence": ["x"] * 51}),
    }
    body: dict[str, Any]
    for verb, bodies in wrong.items():
        for body in bodies:
            answer = await platform.call(
                "dispatch", "POST", f"/v1/cases/{receipt.case_id}/{verb}", role=Role.AGENCY_ADMINISTRATOR, agency=BANDUNG, json=body
            )
            is_problem(answer, 422, (verb, body))
    for body in ({"agency": NUL}, {"agency": "kota-00-00"}, {"agency": BANDUNG, "title": NUL}, {"agency": BANDUNG, "category": "no.such"}):
        answer = await platform.call("triage", "POST", f"/v1/cases/{receipt.case_id}/forward", role=Role.NATIONAL_ADMINISTRATOR, json=body)
        assert answer.status_code in (409, 422)
        is_problem(answer, answer.status_code, body)
    for body in ({"reason": "boredom"}, {"reason": "spam", "note": NUL}, {"reason": "duplicate", "duplicate_of": str(uuid4())}):
        answer = await platform.call("triage", "POST", f"/v1/cases/{receipt.case_id}/archive", role=Role.NATIONAL_ADMINISTRATOR, json=body)
        assert answer.status_code in (409, 422)
        is_problem(answer, answer.status_code, body)
    await unchanged(platform, receipt)


async def test_paths_and_queries_that_can_t_be_right(platform: Platform, endpoints: list[Endpoint], receipt: Receipt) -> None:
    for endpoint in endpoints:
        headers = headers_for(platform, endpoint, receipt)
        base = platform.url(endpoint.service)
        for name, values in {
            "case_id": ("7", "%00", str(uuid4()), "a" * 3_000),
            "message_id": ("7", "%00", str(uuid4())),
            "tracking_id": ("%00", "AAAA-AAAA-AAAA", "%F0%28", "a" * 3_000),
            "reporter_ref": ("7", str(uuid4())),
            "code": ("a%20b", "%00", "kota-00-00", "A" * 3_000),
            "year": ("0", "-1", "x", "99999999999999999999"),
        }.items():
            if "{" + name + "}" not in endpoint.path:
                continue
            for value in values:
                url = base + path_of(endpoint, receipt, **{name: value})
                answer = await platform.http.request(endpoint.method, url, headers=headers, json={} if endpoint.takes_body else None)
                assert answer.status_code in (404, 405, 422), f"{endpoint} {name}={value[:20]}: {answer.status_code} {answer.text}"
                is_problem(answer, answer.status_code, (str(endpoint), name, value[:20]))
        if endpoint.method == "GET" and endpoint.path in {"/v1/parked", "/v1/queue", "/v1/cases", "/v1/agencies", "/v1/agency-changes"}:
            for query in (
                {"limit": "0"},
                {"limit": "9" * 30},
                {"cursor": "rubbish"},
                {"cursor": "\x00"},
                {"cursor": "W10"},
                {"cursor": "WzEsMiwzXQ"},
            ):
                answer = await platform.http.get(base + endpoint.path, headers=headers, params=query)
                is_problem(answer, 422, (str(endpoint), query))
    for service in Service:
        is_problem(await platform.call(service, "GET", "/v1/nothing-here"), 404, service)
        is_problem(await platform.call(service, "PATCH", "/v1/parked"), 405, service)
