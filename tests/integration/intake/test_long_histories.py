"""A case with ten thousand events: its status page is read page by page, at a cost that does not grow with it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from intake.adapters import store
from intake.domain.history import case_status, entry_of
from tests.integration.intake.harness import IntakeHarness, code
from tests.unit.intake.builders import accepted, answered, content, event, forwarded
from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.vocabulary import CaseState, Service
from tuntas_reference.profile import DEFAULT_PROFILE

EVENTS = 10_000


def a_long_life(case_id: UUID) -> Iterator[CaseEvent]:
    """Forwarded, accepted, answered, and then thousands of inputs that are refused."""
    yield from (make(case_id=case_id) for make in (forwarded, accepted, answered))
    for version in range(5, EVENTS + 2):
        yield event(cases.InputRefused, version, CaseState.RESPONDED, case_id=case_id, code="window_over", detail=f"Nomor {version}")


@pytest.fixture
async def receipt(harness: IntakeHarness) -> dict[str, Any]:
    made = await harness.submit()
    await harness.read(*a_long_life(UUID(made["case_id"])))
    return made


async def page(harness: IntakeHarness, receipt: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = await harness.http.get(receipt["status_url"], headers=code(receipt), params=query)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_the_first_page_holds_the_newest_events_and_where_the_case_stands(harness: IntakeHarness, receipt: dict[str, Any]) -> None:
    shown = await page(harness, receipt)
    assert (shown["version"], shown["state"]["code"], shown["agency"]) == (EVENTS + 1, "responded", "dinas-pu")
    assert shown["reply_possible_until"] == "2026-03-25T23:59:59+08:00"
    assert [item["text"] for item in shown["history"]] == [f"Nomor {version}" for version in range(EVENTS - 48, EVENTS + 2)]
    assert shown["next_cursor"] is not None


async def test_pages_together_are_the_whole_history_without_a_gap_or_a_repeat(harness: IntakeHarness, receipt: dict[str, Any]) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        shown = await page(harness, receipt, limit=100, **cursor)
        assert len(shown["history"]) <= 101
        found = [item["text"] or item["event"] for item in shown["history"]] + found
        if shown["next_cursor"] is None:
            break
        cursor = {"cursor": shown["next_cursor"]}
    assert found[:4] == ["ReportSubmitted", "CaseForwarded", "CaseAccepted", "Jalan sudah diperbaiki."]
    assert found[4:] == [f"Nomor {version}" for version in range(5, EVENTS + 2)]


async def test_each_query_reads_no_more_rows_than_it_shows(harness: IntakeHarness, receipt: dict[str, Any]) -> None:
    case_id = UUID(receipt["case_id"])
    await harness.run("ANALYZE case_history")
    for query, values in ((store._PAGE, {"before": 9_000, "limit": 51}), (store._STANDING, {})):
        plan = await harness.rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.text}", case_id=case_id, **values)
        for node in nodes_of(plan[0][0][0]["Plan"]):
            assert node["Node Type"] != "Seq Scan", node
            assert node["Actual Rows"] + node.get("Rows Removed by Filter", 0) <= 51, node


@pytest.mark.parametrize("limit", [0, 101, "semua"])
async def test_a_page_is_bounded(harness: IntakeHarness, limit: object) -> None:
    made = await harness.submit()
    answer = await harness.http.get(made["status_url"], headers=code(made), params={"limit": str(limit)})
    assert answer.status_code == 422


@pytest.mark.parametrize("cursor", ["x", "WzFd" * 30, "WyJhIl0", "Wy0xXQ", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ", "WzEsMl0"])
async def test_a_cursor_of_somebody_elses_making_is_refused(harness: IntakeHarness, cursor: str) -> None:
    made = await harness.submit()
    answer = await harness.http.get(made["status_url"], headers=code(made), params={"cursor": cursor})
    assert answer.status_code == 422, answer.text


async def test_where_a_case_stands_follows_from_the_events_that_are_read_of_it(harness: IntakeHarness) -> None:
    """Each prefix of a life with two agencies stands where its whole history leads to."""
    case_id = UUID((await harness.submit())["case_id"])
    returned = event(
        cases.CaseReturned, 3, CaseState.RECEIVED, case_id=case_id, agency="dinas-pu", reason="bukan wewenang", bounces=1, arbitration=False
    )
    life = [
        forwarded(case_id=case_id),
        returned,
        forwarded(4, case_id=case_id, agency="dinas-lain", time_zone="Asia/Jayapura"),
        accepted(5, case_id=case_id, agency="dinas-lain"),
        answered(6, case_id=case_id, agency="dinas-lain"),
        event(cases.CaseResumed, 7, CaseState.IN_PROGRESS, case_id=case_id, agency="dinas-lain", reply="Belum"),
        answered(8, case_id=case_id, agency="dinas-lain"),
        event(cases.CaseArchived, 9, CaseState.ARCHIVED, case_id=case_id, reason="duplicate", owner=Service.TRIAGE),
    ]
    for number, published in enumerate(life, 1):
        await harness.read(published)
        async with harness.app.database.read() as connection:
            assert await store.CaseHistory().status(connection, case_id) == case_status([entry_of(e) for e in life[:number]])


async def test_the_last_day_to_reply_is_that_of_the_reports_own_profile(harness: IntakeHarness) -> None:
    made = await harness.submit()
    await harness.read(*(make(case_id=UUID(made["case_id"])) for make in (forwarded, accepted, answered)))
    assert (await harness.rows("SELECT profile FROM report"))[0].profile == DEFAULT_PROFILE
    assert (await page(harness, made))["reply_possible_until"] is not None
    # a profile of a later release: this one does not know its days, and shows none rather than wrong ones
    await harness.run("UPDATE report SET profile = 'permen-5-2025'")
    assert (await page(harness, made))["reply_possible_until"] is None


async def test_a_report_that_is_put_back_keeps_its_profile(harness: IntakeHarness) -> None:
    back = event(cases.ReportSubmitted, 1, CaseState.RECEIVED, owner=Service.TRIAGE, report=content(profile="permen-5-2025"))
    await harness.read(back)
    [row] = await harness.rows("SELECT profile FROM report")
    assert row.profile == "permen-5-2025"


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)
