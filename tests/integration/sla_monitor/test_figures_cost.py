"""A public question costs the days that it asks for, however many years of cases lie behind it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import TextClause, text

from sla_monitor.adapters.figures import _REPORTS, _RUNS
from tests.support.plans import EXPLAIN, Plan
from tests.support.servers import Servers
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.settings import ServiceSettings

FIRST, LAST = date(2016, 1, 1), date(2025, 12, 31)
DAYS = (LAST - FIRST).days + 1
AGENCIES = 40
"""Beside the sums of the country."""
RUNS_A_DAY = 2
_CASES = text(
    "INSERT INTO figure_cases SELECT CASE a WHEN 0 THEN '' ELSE 'agency-' || a END, d, 5, 1, 1, 3, 0 "
    "FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') AS d, "
    "generate_series(0, CAST(:agencies AS int)) AS a"
)
_ALL_RUNS = text(
    "INSERT INTO figure_runs SELECT CASE a WHEN 0 THEN '' ELSE 'agency-' || a END, d, 'C2', 'complaint', o, 5, 20 "
    "FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') AS d, "
    "generate_series(0, CAST(:agencies AS int)) AS a, "
    "unnest(ARRAY['met', 'missed']) AS o"
)


@pytest.fixture(scope="module")
async def ten_years(servers: Servers) -> AsyncIterator[Database]:
    values: dict[str, Any] = {"environment": "test", "kafka": "127.0.0.1:1", "oidc_issuer": "http://127.0.0.1:1"}
    settings = ServiceSettings(**values, database_url=SecretStr(servers.database()), database_command_timeout_s=300)
    await upgrade("sla_monitor", settings.sqlalchemy_url)
    database = Database(settings, "tests")
    async with database.begin() as connection:
        for statement in (_CASES, _ALL_RUNS):
            await connection.execute(statement, {"first": FIRST, "last": LAST, "agencies": AGENCIES})
    raw = await database.raw("tests")
    try:
        await raw.execute("VACUUM ANALYZE")
    finally:
        await raw.close()
    yield database
    await database.close()


async def _plan(database: Database, statement: TextClause, first: date, last: date, agency: str) -> Plan:
    async with database.connect() as connection:
        answer = await connection.scalar(text(EXPLAIN + statement.text), {"first": first, "last": last, "agency": agency})
    return Plan.of(answer)


@pytest.mark.parametrize("agency", ["", "agency-7"], ids=["country", "agency"])
@pytest.mark.parametrize(("statement", "table", "a_day"), [(_REPORTS, "figure_cases", 1), (_RUNS, "figure_runs", RUNS_A_DAY)])
async def test_only_the_days_asked_for_are_read(ten_years: Database, statement: TextClause, table: str, a_day: int, agency: str) -> None:
    month = await _plan(ten_years, statement, date(2020, 3, 1), date(2020, 3, 31), agency)
    whole = await _plan(ten_years, statement, FIRST, LAST, agency)
    for plan, days in ((month, 31), (whole, DAYS)):
        assert plan.tables == {table, f"{table}_change"}, "no case and no clock is looked at"
        assert not plan.scans_whole(table)
        assert plan.rows_of(table) == days * a_day
    assert month.pages < 150
    assert whole.pages < 2 * DAYS * a_day
