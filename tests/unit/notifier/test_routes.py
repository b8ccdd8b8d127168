"""The notices of a case, over HTTP: to whom it is shown, and what it never shows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from notifier.adapters.history import KnownCase, NoticeHistory, NoticeRecord
from notifier.entrypoints.routes import routes
from tests.unit.notifier.builders import CASE_ID, NOON, an_id
from tuntas_chassis.http.auth import Principal
from tuntas_chassis.http.problems import install_problems
from tuntas_contracts.vocabulary import Role


class FakeHistory(NoticeHistory):
    """Two notices of one case of kemenkes."""

    def __init__(self, agency: str | None = "kemenkes") -> None:
        self.agency = agency
        self.records = sorted(
            (
                NoticeRecord(an_id("a"), "receipt", "reporter", None, "sent", 1, 0, None, NOON, NOON),
                NoticeRecord(an_id("b"), "forwarded", "reporter", "kemenkes", "failed", 1, 1, "no_email", NOON, NOON),
            ),
            key=lambda r: r.notice_id,
        )

    async def case(self, case_id: UUID) -> KnownCase | None:
        """The one case."""
        return KnownCase(self.agency) if case_id == CASE_ID else None

    async def of_case(self, case_id: UUID, *, after: UUID | None, limit: int) -> Sequence[NoticeRecord]:
        """Its notices."""
        return [r for r in self.records if after is None or r.notice_id > after][:limit]


class FakeTokens:
    """A token is `role` or `role@agency`."""

    async def verify(self, token: str) -> Principal:
        """Its principal."""
        role, _, agency = token.partition("@")
        return Principal("someone", frozenset({Role(role)}), agency or None)


async def get(path: str, token: str | None = "national_administrator", history: FakeHistory | None = None) -> tuple[int, Any]:
    app = FastAPI()
    app.state.tokens = FakeTokens()
    install_problems(app)
    app.include_router(routes(history or FakeHistory()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier.example") as client:
        answer = await client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()


PATH = f"/v1/cases/{CASE_ID}/notices"


@pytest.mark.parametrize(
    ("token", "agency", "status"),
    [
        ("national_administrator", "kemenkes", 200),
        ("auditor", None, 200),
        ("service", None, 200),
        ("liaison_officer@kemenkes", "kemenkes", 200),
        ("head@kemenkes", "kemenkes", 200),
        ("liaison_officer@kemenkeu", "kemenkes", 403),
        ("agency_administrator@kemenkes", None, 403),
        ("agency_system@kemenkes", "kemenkes", 403),
        ("operator", "kemenkes", 403),
        ("clerk@kemenkes", "kemenkes", 403),
        (None, "kemenkes", 401),
    ],
)
async def test_only_who_works_on_the_case_sees_its_notices(token: str | None, agency: str | None, status: int) -> None:
    assert (await get(PATH, token, FakeHistory(agency)))[0] == status


async def test_notices_come_page_by_page_and_hold_no_address() -> None:
    _, first = await get(f"{PATH}?limit=1")
    _, second = await get(f"{PATH}?limit=1&cursor={first['next_cursor']}")
    assert second["next_cursor"] is None
    both = {n["kind"]: n for n in (*first["notices"], *second["notices"])}
    assert (both["receipt"]["status"], both["forwarded"]["reason"], both["forwarded"]["possible_repeat"]) == ("sent", "no_email", True)
    assert "@" not in str(both)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/v1/cases/{an_id('nobody')}/notices", 404, "unknown_case"),
        ("/v1/cases/abc/notices", 422, "invalid_request"),
        (f"{PATH}?cursor=abc", 422, "bad_cursor"),
        (f"{PATH}?cursor=WyJhYmMiXQ", 422, "bad_cursor"),
        (f"{PATH}?limit=0", 422, "invalid_request"),
    ],
)
async def test_an_error_says_what_to_do(path: str, status: int, code: str) -> None:
    found, problem = await get(path)
    assert (found, problem["code"]) == (status, code)
    assert problem["detail"]
