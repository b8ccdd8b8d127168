"""A case whose reply window was set ten thousand times: its clocks are read page by page, at a cost that does not grow with them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from sla_monitor.adapters.clock_queries import NEWEST, RUNS, ClockQueries
from tests.support.servers import Servers
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.vocabulary import Clock

CASE_ID = UUID(int=7)
NUMBER = 10_000


@pytest.fixture(scope="module")
async def database(servers: Servers) -> AsyncIterator[Database]:
    settings = ServiceSettings(
        environment="test", kafka=servers.bootstrap, database_url=SecretStr(servers.database()), oidc_issuer="http://127.0.0.1:1"
    )
    await upgrade("sla_monitor", settings.sqlalchemy_url)
    made = Database(settings, "sla-monitor-test")
    run = (
        "INSERT INTO clock_run (case_id, clock, deadline_version, started_at, due_at, outcome, provisional, profile) "
        "SELECT :case_id, :clock, n, '2026-01-01'::timestamptz + n * interval '1 minute', '2026-12-01', 'stopped', false, "
        "'permenpan-62-2018' FROM generate_series(1, :number) AS n"
    )
    async with made.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO case_clocks (case_id, partition, version, state, profile, time_zone, received_at, bounces, clocks) "
                "VALUES (:case_id, 0, 9, 'responded', 'permenpan-62-2018', 'Asia/Jakarta', now(), 0, '{}')"
            ),
            {"case_id": CASE_ID},
        )
        for clock, number in (("C6", NUMBER), ("C2", 3), ("C99", 2)):
            await connection.execute(text(run), {"case_id": CASE_ID, "clock": clock, "number": number})
        await connection.execute(text("ANALYZE clock_run"))
    yield made
    await made.close()


async def test_pages_together_are_all_runs_and_the_first_holds_the_newest_of_each_clock(database: Database) -> None:
    queries = ClockQueries(database)
    befores = dict.fromkeys(Clock, NEWEST)
    found: list[tuple[str, int]] = []
    first: list[tuple[str, int]] = []
    while befores:
        stored = await queries.find(CASE_ID, befores, 50)
        assert stored is not None
        assert list(stored.runs) == sorted(stored.runs, key=lambda run: run.started_at)
        page = [(run.clock.value, run.deadline_version) for run in stored.runs]
        first = first or page
        found += page
        befores = dict(stored.earlier)
    assert set(first) == {("C2", n) for n in (1, 2, 3)} | {("C6", n) for n in range(NUMBER - 49, NUMBER + 1)}
    assert sorted(found) == sorted([("C2", n) for n in (1, 2, 3)] + [("C6", n) for n in range(1, NUMBER + 1)])


async def test_no_part_of_the_query_reads_more_than_a_page_of_each_clock(database: Database) -> None:
    values = {"clock": [c.value for c in Clock], "before": [NEWEST] * len(Clock), "limit": 21, "case_id": CASE_ID}
    async with database.read() as connection:
        [row] = await connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {RUNS.text}"), values)
    for node in nodes_of(row[0][0]["Plan"]):
        assert node["Node Type"] != "Seq Scan", node
        assert node["Actual Rows"] + node.get("Rows Removed by Filter", 0) <= 21 * len(Clock), node


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)
