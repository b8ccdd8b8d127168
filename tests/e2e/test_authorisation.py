"""Who may do what: every endpoint of every service refuses everybody else, in words, and changes nothing."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.endpoints import Endpoint, all_endpoints
from tests.support.platform import Platform, Receipt
from tuntas_contracts.vocabulary import AGENCY_ROLES, Role, Service

BANDUNG, BOGOR = "kota-32-73", "kab-32-01"
PUBLIC: frozenset[Role] = frozenset()
OPERATOR = frozenset({Role.OPERATOR})
AUDITOR = frozenset({Role.AUDITOR})
NATIONAL = frozenset({Role.NATIONAL_ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.AGENCY_ADMINISTRATOR, Role.AGENCY_SYSTEM})
OFFICERS = ADMINISTRATORS | {Role.LIAISON_OFFICER}
AGENCY_READERS = AGENCY_ROLES - {Role.AGENCY_SYSTEM}
NATIONAL_READERS = frozenset({Role.NATIONAL_ADMINISTRATOR, Role.AUDITOR, Role.SERVICE})

OPERATIONS = {
    ("GET", "/livez"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/v1/parked"): OPERATOR,
    ("GET", "/v1/parked/{message_id}"): OPERATOR,
    ("POST", "/v1/parked/{message_id}/replay"): OPERATOR,
    ("POST", "/v1/parked/{message_id}/discard"): OPERATOR,
    ("POST", "/v1/parked/resume"): OPERATOR,
    ("GET", "/v1/parked/accesses"): AUDITOR,
    ("POST", "/v1/parked/{message_id}/content"): AUDITOR,
}
SET_ASIDE = {("GET", "/v1/set-aside"): OPERATOR, ("POST", "/v1/set-aside/retry"): OPERATOR}
ALLOWED: dict[str, dict[tuple[str, str], frozenset[Role]]] = {
    Service.INTAKE: OPERATIONS
    | {
        ("POST", "/v1/reports"): PUBLIC,
        ("GET", "/v1/reports/{tracking_id}"): PUBLIC,
        ("POST", "/v1/reports/{tracking_id}/reply"): PUBLIC,
        ("POST", "/v1/reports/{tracking_id}/confirmation"): PUBLIC,
        ("POST", "/v1/contacts/lookup"): frozenset({Role.SERVICE}),
        ("POST", "/v1/cases/{case_id}/reporter-disclosure"): NATIONAL | {Role.AGENCY_ADMINISTRATOR, Role.LIAISON_OFFICER},
        ("DELETE", "/v1/reporters/{reporter_ref}"): OPERATOR,
    },
    Service.TRIAGE: OPERATIONS
    | {
        ("GET", "/v1/queue"): NATIONAL,
        ("GET", "/v1/cases/{case_id}"): NATIONAL,
        ("POST", "/v1/cases/{case_id}/forward"): NATIONAL,
        ("POST", "/v1/cases/{case_id}/archive"): NATIONAL,
    },
    Service.DISPATCH: OPERATIONS
    | {
        ("GET", "/v1/agencies"): PUBLIC,
        ("GET", "/v1/agencies/{code}"): PUBLIC,
        ("POST", "/v1/agencies"): OPERATOR,
        ("PATCH", "/v1/agencies/{code}"): OPERATOR,
        ("GET", "/v1/agency-changes"): OPERATOR | AUDITOR,
        ("GET", "/v1/cases"): OFFICERS | NATIONAL,
        ("GET", "/v1/cases/{case_id}"): OFFICERS | NATIONAL,
        ("POST", "/v1/cases/{case_id}/accept"): ADMINISTRATORS,
        ("POST", "/v1/cases/{case_id}/handle"): ADMINISTRATORS,
        ("POST", "/v1/cases/{case_id}/return"): ADMINISTRATORS,
        ("POST", "/v1/cases/{case_id}/follow-up"): OFFICERS,
        ("POST", "/v1/cases/{case_id}/answer"): OFFICERS,
    },
    Service.SLA_MONITOR: OPERATIONS
    | SET_ASIDE
    | {
        ("GET", "/v1/cases/{case_id}/clocks"): AGENCY_READERS | NATIONAL_READERS | {Role.AGENCY_SYSTEM},
        ("GET", "/v1/figures"): PUBLIC,
        ("GET", "/v1/calendar/{year}"): PUBLIC,
    },
    Service.NOTIFIER: OPERATIONS | SET_ASIDE | {("GET", "/v1/cases/{case_id}/notices"): AGENCY_READERS | NATIONAL_READERS},
}
BODIES = {
    "accept": {"unit": "layanan"},
    "handle": {"unit": "layanan"},
    "return": {"reason": "Bukan kami."},
    "follow-up": {"note": "Ditinjau."},
    "answer": {"answer": "Selesai."},
    "forward": {"agency": BOGOR},
    "archive": {"reason": "spam"},
    "content": {"reason": "Pemeriksaan."},
    "reporter-disclosure": {"reason": "Perlu konfirmasi lokasi."},
    "{code}": {"reason": "Tutup.", "enabled": False},
}


@dataclass(frozen=True, slots=True)
class Ground:
    """A case at an agency, and every guarded endpoint filled in for it."""

    receipt: Receipt
    calls: tuple[tuple[Endpoint, str, object], ...]


@pytest.fixture(scope="module")
async def endpoints(platform: Platform) -> list[Endpoint]:
    """Every operation of every service."""
    return await all_endpoints(platform.http, {service: platform.url(service) for service in Service})


@pytest.fixture(scope="module")
async def ground(platform: Platform, endpoints: list[Endpoint]) -> Ground:
    """A case that lies at Bandung, known to every service."""
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.until_state(receipt, "at_agency")
    await platform.until_idle()
    values = {"case_id": str(receipt.case_id), "message_id": str(uuid4()), "reporter_ref": str(uuid4()), "tracking_id": receipt.tracking_id}
    values["code"] = BANDUNG
    guarded = [e for e in endpoints if e.guarded]
    return Ground(receipt, tuple((e, e.at(**values), BODIES.get(e.path.rsplit("/", 1)[1], {}) if e.takes_body else None) for e in guarded))


async def ask(platform: Platform, call: tuple[Endpoint, str, object], token: str | None) -> httpx.Response:
    """Make a call with a token, or with none."""
    endpoint, path, body = call
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return await platform.http.request(endpoint.method, platform.url(endpoint.service) + path, headers=headers, json=body)


def is_problem(answer: httpx.Response, status: int, what: object) -> None:
    """The answer is a problem of RFC 9457 with that status that says something."""
    assert answer.status_code == status, f"{what}: {answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json", what
    problem = answer.json()
    assert problem["status"] == status, what
    assert problem["title"], what
    assert problem["code"], what
    assert len(problem["detail"]) > 15, what


async def unchanged(platform: Platform, ground: Ground) -> None:
    """The case is as it was."""
    status = await platform.status(ground.receipt)
    assert (status["state"]["code"], status["version"]) == ("at_agency", 2)
    assert [r.kind for r in await platform.events(ground.receipt.case_id)] == ["ReportSubmitted", "CaseForwarded"]
    assert (await platform.call("dispatch", "GET", f"/v1/agencies/{BANDUNG}", role=None)).json()["enabled"] is True


async def test_every_endpoint_says_here_who_may_call_it(endpoints: list[Endpoint]) -> None:
    listed = {(service, method, path) for service, operations in ALLOWED.items() for method, path in operations}
    assert {(e.service, e.method, e.path) for e in endpoints} == listed
    for endpoint in endpoints:
        public = ALLOWED[endpoint.service][endpoint.method, endpoint.path] == PUBLIC
        assert endpoint.guarded is not public, f"{endpoint}: its document and this table disagree on whether a token is needed"


async def test_without_a_sound_token_nothing_is_answered(platform: Platform, ground: Ground) -> None:
    expired = platform.token(Role.OPERATOR, ttl_s=-60)
    foreign = platform.token(Role.OPERATOR)
    forged = foreign[:-8] + ("A" * 8 if not foreign.endswith("A" * 8) else "B" * 8)
    for call in ground.calls:
        for token, why in ((None, "no token"), (expired, "expired"), (forged, "forged"), ("rubbish", "rubbish")):
            answer = await ask(platform, call, token)
            is_problem(answer, 401, (str(call[0]), why))
            assert answer.headers["www-authenticate"].startswith("Bearer")
    await unchanged(platform, ground)


async def test_a_wrong_role_is_refused_on_every_endpoint(platform: Platform, ground: Ground) -> None:
    for role in (None, *(r for r in Role if r not in {Role.REPORTER, Role.SYSTEM})):
        token = platform.token(role, BANDUNG if role in AGENCY_ROLES else None)
        for call in ground.calls:
            endpoint = call[0]
            if role in ALLOWED[endpoint.service][endpoint.method, endpoint.path]:
                continue
            is_problem(await ask(platform, call, token), 403, (str(endpoint), role))
    await unchanged(platform, ground)


async def test_another_agency_s_officers_are_refused_on_every_endpoint_of_a_case(platform: Platform, ground: Ground) -> None:
    of_cases = [call for call in ground.calls if "{case_id}" in call[0].path]
    tried = 0
    for role in AGENCY_ROLES:
        for agency in (BOGOR, None):
            token = platform.token(role, agency)
            for call in of_cases:
                if role in ALLOWED[call[0].service][call[0].method, call[0].path]:
                    answer = await ask(platform, call, token)
                    is_problem(answer, 403, (str(call[0]), role, agency))
                    assert BANDUNG not in answer.text, "a stranger does not learn whose case it is"
                    tried += 1
    assert tried > 30
    await unchanged(platform, ground)
    listed = await platform.call("dispatch", "GET", "/v1/cases", role=Role.AGENCY_ADMINISTRATOR, agency=BOGOR, params={"agency": BANDUNG})
    is_problem(listed, 403, "another agency's list")
    own = await platform.call("dispatch", "GET", "/v1/cases", role=Role.AGENCY_ADMINISTRATOR, agency=BOGOR, params={"limit": 200})
    assert {case["agency"] for case in own.json()["cases"]} <= {BOGOR}


async def test_a_report_received_by_hand_needs_a_clerk(platform: Platform) -> None:
    report = {
        "classification": "complaint",
        "title": "Surat dari warga",
        "body": "Disampaikan lewat surat.",
        "channel": "letter",
        "reporter": {"phone": "081234567890"},
    }
    for role, status in ((None, 401), (Role.SUPERVISOR, 403), (Role.AGENCY_SYSTEM, 403), (Role.CLERK, 201)):
        answer = await platform.call("intake", "POST", "/v1/reports", role=role, agency=BANDUNG, json=report)
        if status == 201:
            assert answer.status_code == 201, answer.text
        else:
            is_problem(answer, status, role)


async def test_the_reporter_of_an_anonymous_case_is_disclosed_to_no_one(platform: Platform) -> None:
    named, anonymous = await platform.submit(addressed_agency=BANDUNG), await platform.submit(addressed_agency=BANDUNG, anonymous=True)
    for receipt in (named, anonymous):
        await platform.until_state(receipt, "at_agency")
    asked: dict[str, Any] = {"role": Role.AGENCY_ADMINISTRATOR, "agency": BANDUNG, "json": {"reason": "Perlu konfirmasi lokasi."}}
    disclosed = await platform.call("intake", "POST", f"/v1/cases/{named.case_id}/reporter-disclosure", **asked)
    assert disclosed.status_code == 200
    assert disclosed.json()["name"] == "Sekar Ayu Wulandari"
    secret = await platform.call("intake", "POST", f"/v1/cases/{anonymous.case_id}/reporter-disclosure", **asked)
    is_problem(secret, 403, "an anonymous reporter")
    logged = await platform.query(
        "intake", "SELECT count(*) AS number FROM access_log WHERE case_id = $1 AND purpose LIKE '%konfirmasi%'", named.case_id
    )
    assert logged[0]["number"] == 1
