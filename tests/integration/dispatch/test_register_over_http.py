"""The register changed over HTTP: with the right role, on the version that was read, checked as the files are, and written down."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from dispatch.adapters.register_store import load_into
from dispatch.domain.register import load_register
from tests.support.register_http import RegisterHttp
from tuntas_chassis.clock import SystemClock
from tuntas_contracts.agencies import AgencyRegistered

Json = dict[str, Any]
FILES = {agency.code: agency for agency in load_register()}
NEW: Json = {
    "code": "badan-uji",
    "name": "Badan Uji",
    "kind": "body",
    "time_zone": "Asia/Jakarta",
    "supervised_by": "kemenkes",
    "email": "aduan@uji.example",
    "sectors": ["health"],
}
WHY = "letter 12/2026"


class Register:
    """Two replicas of dispatch's register on one database."""

    def __init__(self, url: str) -> None:
        self.replicas = [RegisterHttp(url), RegisterHttp(url)]
        self._clients = [
            httpx.AsyncClient(transport=httpx.ASGITransport(app=replica.app), base_url="http://register") for replica in self.replicas
        ]

    async def fill(self, *codes: str) -> None:
        """Nothing but these agencies, as the files have them."""
        async with self.replicas[0].database.begin() as connection:
            await connection.execute(text("TRUNCATE agency, agency_change, outbox"))
            await load_into(connection, [FILES[code] for code in codes], SystemClock())
            await connection.execute(text("TRUNCATE agency_change, outbox"))

    async def call(self, method: str, path: str, *, who: str | None = "operator", replica: int = 0, **request: Any) -> httpx.Response:
        """A request, as somebody."""
        headers = request.pop("headers", {}) | ({"Authorization": f"Bearer {who}"} if who else {})
        return await self._clients[replica].request(method, path, headers=headers, **request)

    async def read(self, code: str) -> tuple[Json, str]:
        """One agency and its ETag."""
        answer = await self.call("GET", f"/v1/agencies/{code}", who=None)
        assert answer.status_code == 200, answer.text
        return answer.json(), answer.headers["ETag"]

    async def change(self, code: str, etag: str | None, **fields: Any) -> httpx.Response:
        """Change one agency on the version that was read."""
        who, replica = fields.pop("who", "operator"), fields.pop("replica", 0)
        headers = {"If-Match": etag} if etag else {}
        body = {"reason": WHY} | fields
        return await self.call("PATCH", f"/v1/agencies/{code}", who=who, replica=replica, headers=headers, json=body)

    async def enter(self, *agencies: Json, who: str = "operator") -> httpx.Response:
        """Bring agencies in."""
        return await self.call("POST", "/v1/agencies", who=who, json={"reason": WHY, "agencies": list(agencies)})

    async def published(self) -> list[AgencyRegistered]:
        """What the relay is to publish, in order."""
        async with self.replicas[0].database.connect() as connection:
            rows = await connection.execute(text("SELECT value FROM outbox ORDER BY id"))
            return [AgencyRegistered.model_validate_json(row.value) for row in rows]

    async def audit(self, who: str = "auditor", **query: str) -> list[Json]:
        """Every line of the audit, page by page."""
        lines: list[Json] = []
        while True:
            answer = await self.call("GET", "/v1/agency-changes", who=who, params={"limit": "2", **query})
            assert answer.status_code == 200, answer.text
            lines += answer.json()["changes"]
            if answer.json()["next_cursor"] is None:
                return lines
            query["cursor"] = answer.json()["next_cursor"]


@pytest.fixture
async def register(url: str) -> AsyncIterator[Register]:
    made = Register(url)
    await made.fill("kemenko-pmk", "kemenkes", "prov-32", "kab-32-01")
    yield made
    for replica in made.replicas:
        await replica.database.close()


def problem(answer: httpx.Response, status: int, code: str) -> Json:
    assert answer.status_code == status, answer.text
    problem: Json = answer.json()
    assert problem["code"] == code, problem
    return problem


async def test_an_agency_is_disabled_announced_and_recorded(register: Register) -> None:
    _, etag = await register.read("kemenkes")
    answer = await register.change("kemenkes", etag, enabled=False, email="baru@kemenkes.example")
    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
    assert answer.headers["ETag"] != etag
    assert (await register.read("kemenkes"))[1] == answer.headers["ETag"]
    [event] = await register.published()
    assert (event.code, event.enabled, event.email) == ("kemenkes", False, "baru@kemenkes.example")
    [line] = await register.audit()
    assert (line["subject"], line["reason"], line["code"]) == ("operator:wati", WHY, "kemenkes")
    assert line["before"] == {"enabled": True, "email": FILES["kemenkes"].email}
    assert line["after"] == {"enabled": False, "email": "baru@kemenkes.example"}


async def test_an_old_entry_with_faults_can_be_disabled_all_the_same(register: Register) -> None:
    async with register.replicas[0].database.begin() as connection:
        await connection.execute(text("UPDATE agency SET email = 'no mailbox', supervised_by = 'nobody' WHERE code = 'kab-32-01'"))
    _, etag = await register.read("kab-32-01")
    problem(await register.change("kab-32-01", etag, name="Kabupaten Bogor Baru"), 422, "register_faults")
    assert (await register.change("kab-32-01", etag, enabled=False)).json()["enabled"] is False


async def test_two_operators_at_once_and_one_must_read_again(register: Register) -> None:
    _, etag = await register.read("kemenkes")
    answers = await asyncio.gather(
        register.change("kemenkes", etag, email="satu@kemenkes.example"),
        register.change("kemenkes", etag, email="dua@kemenkes.example", who="another-operator", replica=1),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [refused] = [answer for answer in answers if answer.status_code == 412]
    problem(refused, 412, "stale_version")
    assert len(await register.published()) == len(await register.audit()) == 1


async def test_a_repeat_changes_nothing_and_is_no_conflict(register: Register) -> None:
    _, etag = await register.read("kemenkes")
    for _ in range(2):
        assert (await register.change("kemenkes", etag, enabled=False)).status_code == 200
    assert (await register.enter(NEW)).json()["agencies"][0]["outcome"] == "added"
    assert (await register.enter(NEW)).json()["agencies"][0]["outcome"] == "unchanged"
    assert len(await register.published()) == len(await register.audit()) == 2


async def test_without_a_version_nothing_is_changed(register: Register) -> None:
    problem(await register.change("kemenkes", None, enabled=False), 428, "if_match_needed")
    problem(await register.change("kemenkes", '"wrong"', enabled=False), 412, "stale_version")
    problem(await register.change("kemenkes", "*", enabled=False), 412, "stale_version")
    problem(await register.change("nobody", '"wrong"', enabled=False), 404, "unknown_agency")
    stale = await register.enter(NEW, {**NEW, "code": "kemenkes", "kind": "ministry", "supervised_by": None})
    assert "kemenkes" in problem(stale, 409, "stale_version")["detail"]
    assert await register.published() == []
    assert await register.audit() == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"email": "aduan@bogor"}, "is no mailbox"),
        ({"supervised_by": "kemenkes"}, "answers to its own province"),
        ({"supervised_by": None}, "every regency has a tier above it"),
        ({"region_code": "32.71"}, "is not the code of a regency"),
        ({"sectors": []}, "sectors is empty"),
        ({"units": [{"code": "layanan", "name": "Layanan", "kind": "service_desk"}]}, "has no unit of kind inspectorate"),
        ({"units": [{"code": "aa", "name": "A", "kind": "ordinary", "parent": "bb"}]}, "is no unit of the same agency"),
    ],
)
async def test_what_the_files_may_not_say_is_refused_here_too(register: Register, fields: Json, says: str) -> None:
    _, etag = await register.read("kab-32-01")
    refused = problem(await register.change("kab-32-01", etag, **fields), 422, "register_faults")
    assert any(says in fault["message"] and fault["field"] == "kab-32-01" for fault in refused["errors"]), refused["errors"]
    assert await register.published() == []
    assert await register.audit() == []


async def test_all_of_many_or_none(register: Register) -> None:
    faulty = {**NEW, "code": "badan-lain", "email": "aduan@lain"}
    for agencies, code in (((NEW, faulty), "badan-lain"), ((NEW, NEW), "badan-uji")):
        refused = problem(await register.enter(*agencies), 422, "register_faults")
        assert {fault["field"] for fault in refused["errors"]} == {code}
    assert (await register.call("GET", "/v1/agencies/badan-uji", who=None)).status_code == 404
    done = await register.enter(NEW, {**NEW, "code": "badan-lain"})
    assert [agency["outcome"] for agency in done.json()["agencies"]] == ["added", "added"]
    assert [event.code for event in await register.published()] == ["badan-uji", "badan-lain"]


async def test_units_are_changed_as_a_whole_and_known_at_once(register: Register) -> None:
    agency, etag = await register.read("kemenkes")
    units = [*agency["units"], {"code": "gizi", "name": "Direktorat Gizi", "kind": "ordinary", "parent": None, "sectors": ["health"]}]
    answer = await register.change("kemenkes", etag, units=units)
    assert answer.json()["units"] == units
    assert "gizi" in register.replicas[0].snapshot.units_of("kemenkes")
    again = await register.change("kemenkes", answer.headers["ETag"], name="Kementerian Kesehatan RI")
    assert again.json()["units"] == units, "what nobody names stays"
    [_, line] = await register.audit(code="kemenkes")
    assert list(line["after"]) == ["name"]


async def test_what_an_operator_set_stays_when_the_files_are_loaded(register: Register) -> None:
    _, etag = await register.read("kemenkes")
    await register.change("kemenkes", etag, enabled=False, email="baru@kemenkes.example")
    async with register.replicas[0].database.begin() as connection:
        loaded = await load_into(connection, list(FILES.values()), SystemClock())
    assert (loaded.kept, loaded.changed) == (1, 0)
    agency, _ = await register.read("kemenkes")
    assert (agency["enabled"], agency["channels"][0]["address"]) == (False, "baru@kemenkes.example")


@pytest.mark.parametrize(
    "body", [{"enabled": False}, {"reason": "x"}, {"reason": " \u200b", "enabled": False}, {"reason": "x", "email": None}]
)
async def test_a_change_says_what_and_why(register: Register, body: Json) -> None:
    _, etag = await register.read("kemenkes")
    answer = await register.call("PATCH", "/v1/agencies/kemenkes", headers={"If-Match": etag}, json=body)
    problem(answer, 422, "invalid_request")
    assert await register.audit() == []


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("administrator", 403), ("auditor", 403)])
async def test_only_operators_change_it(register: Register, who: str | None, status: int) -> None:
    _, etag = await register.read("kemenkes")
    assert (await register.change("kemenkes", etag, enabled=False, who=who)).status_code == status
    answer = await register.call("POST", "/v1/agencies", who=who, json={"reason": WHY, "agencies": [NEW]})
    assert answer.status_code == status
    assert (await register.call("GET", "/v1/agency-changes", who=who)).status_code == (200 if who == "auditor" else status)
    assert await register.published() == []


async def test_nothing_is_changed_before_the_database_has_caught_up(register: Register) -> None:
    _, etag = await register.read("kemenkes")
    register.replicas[0].caught_up = False
    problem(await register.change("kemenkes", etag, enabled=False), 503, "catching_up")
    assert await register.published() == []


async def test_the_audit_is_read_page_by_page_and_by_agency(register: Register) -> None:
    etag = {code: (await register.read(code))[1] for code in ("kemenkes", "kab-32-01")}
    for n in range(3):
        for code in etag:
            etag[code] = (await register.change(code, etag[code], email=f"aduan{n}@{code}.example")).headers["ETag"]
    assert [line["code"] for line in await register.audit()] == ["kemenkes", "kab-32-01"] * 3
    assert [line["after"]["email"] for line in await register.audit(code="kab-32-01")] == [f"aduan{n}@kab-32-01.example" for n in range(3)]
    answer = await register.call("GET", "/v1/agency-changes", params={"cursor": "rubbish"})
    problem(answer, 422, "bad_cursor")
