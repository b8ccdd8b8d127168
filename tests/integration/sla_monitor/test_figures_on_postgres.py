"""Public figures from daily sums: at any moment they are what a count over all cases gives, and they cost what the days asked for cost."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sla_monitor.adapters.figures import FigureReader, FigureRollups, Period
from sla_monitor.domain.case_clocks import RunOutcome
from sla_monitor.domain.figures import Figures, Reports, RunCount, figures_of
from tests.support.servers import Servers
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.vocabulary import Clock, ServiceClass

FIRST, LAST = date(2024, 12, 20), date(2025, 1, 20)
AGENCIES = (None, "kota-bandung", "kemenkes", "kab-bogor")
CLOCKS = tuple(clock for clock in Clock if clock is not Clock.C5)
PERIODS = [
    Period(first, last, agency)
    for agency in (None, "kota-bandung", "kemenkes", "nobody")
    for first, last in ((FIRST, LAST), (date(2025, 1, 1), date(2025, 1, 1)), (date(2024, 12, 31), date(2025, 1, 7)))
]
_CASES = text(
    "SELECT count(*), count(*) FILTER (WHERE responded_at IS NULL AND state <> 'archived'), "
    "count(*) FILTER (WHERE answered_at IS NULL AND state <> 'archived'), count(*) FILTER (WHERE state = 'closed'), "
    "count(*) FILTER (WHERE state = 'archived') FROM case_clocks WHERE received_at >= :since AND received_at < :until "
    "AND (CAST(:agency AS text) IS NULL OR agency = :agency)"
)
_RUNS = text(
    "SELECT clock, service_class, outcome, count(*) AS number, coalesce(sum(working_days), 0) AS days FROM clock_run "
    "WHERE started_at >= :since AND started_at < :until AND (CAST(:agency AS text) IS NULL OR agency = :agency) GROUP BY 1, 2, 3"
)


@pytest.fixture
async def database(servers: Servers) -> AsyncIterator[Database]:
    values: dict[str, Any] = {"environment": "test", "kafka": "127.0.0.1:1", "oidc_issuer": "http://127.0.0.1:1"}
    settings = ServiceSettings(**values, database_url=SecretStr(servers.database()))
    await upgrade("sla_monitor", settings.sqlalchemy_url)
    made = Database(settings, "tests")
    yield made
    await made.close()


async def _counted(database: Database, period: Period) -> Figures:
    """The same figures by a look at every case."""
    midnight = timedelta(hours=7)
    asked = {
        "since": datetime.combine(period.first, datetime.min.time(), UTC) - midnight,
        "until": datetime.combine(period.last + timedelta(days=1), datetime.min.time(), UTC) - midnight,
        "agency": period.agency,
    }
    async with database.connect() as connection:
        reports = (await connection.execute(_CASES, asked)).one()
        runs = (await connection.execute(_RUNS, asked)).all()
    counts = [
        RunCount(Clock(r.clock), ServiceClass(r.service_class) if r.service_class else None, RunOutcome(r.outcome), r.number, int(r.days))
        for r in runs
    ]
    return figures_of(Reports(*reports), counts)


async def _add(connection: AsyncConnection, rng: random.Random, first_id: int, number: int) -> None:
    ids = [UUID(int=n) for n in range(first_id, first_id + number)]
    moments = [datetime(2024, 12, 19, 15, tzinfo=UTC) + timedelta(minutes=rng.randrange(33 * 1440)) for _ in ids]
    await connection.execute(
        text(
            "INSERT INTO case_clocks SELECT id, 0, 1, 'received', 'p', 'Asia/Jakarta', at, agency, NULL, NULL, 0, NULL, NULL, '{}' "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:at AS timestamptz[]), CAST(:agencies AS text[])) AS x (id, at, agency)"
        ),
        {"ids": ids, "at": moments, "agencies": [rng.choice(AGENCIES) for _ in ids]},
    )
    await connection.execute(
        text(
            "INSERT INTO clock_run SELECT id, clock, 1, at, at, NULL, 'running', NULL, agency, NULL, class, false, 'p' FROM unnest("
            "CAST(:ids AS uuid[]), CAST(:at AS timestamptz[]), CAST(:agencies AS text[]), CAST(:clocks AS text[]), "
            "CAST(:classes AS text[])) AS x (id, at, agency, clock, class)"
        ),
        {
            "ids": ids,
            "at": moments,
            "agencies": [rng.choice(AGENCIES) for _ in ids],
            "clocks": [rng.choice(CLOCKS).value for _ in ids],
            "classes": [rng.choice((None, *ServiceClass)) for _ in ids],
        },
    )


async def _change(connection: AsyncConnection, rng: random.Random, known: int) -> None:
    some = [UUID(int=rng.randrange(known)) for _ in range(known // 3)]
    state, agency = rng.choice(["at_agency", "responded", "closed", "archived"]), rng.choice(AGENCIES)
    statements = [
        "UPDATE case_clocks SET state = :state, agency = :agency WHERE case_id = ANY(CAST(:ids AS uuid[]))",
        "UPDATE case_clocks SET responded_at = now() WHERE case_id = ANY(CAST(:ids AS uuid[]))",
        "UPDATE case_clocks SET responded_at = now(), answered_at = now() WHERE case_id = ANY(CAST(:ids AS uuid[]))",
        "UPDATE clock_run SET outcome = :outcome, working_days = :days WHERE case_id = ANY(CAST(:ids AS uuid[]))",
        "UPDATE clock_run SET outcome = 'missed' WHERE outcome = 'running' AND case_id = ANY(CAST(:ids AS uuid[]))",
        "DELETE FROM clock_run WHERE case_id = ANY(CAST(:ids AS uuid[]))",
    ]
    statement = text(rng.choice(statements))
    values = {"state": state, "agency": agency, "ids": some, "outcome": rng.choice(list(RunOutcome)).value, "days": rng.randrange(60)}
    await connection.execute(statement, {name: value for name, value in values.items() if f":{name}" in statement.text})


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_to_cases_the_sums_are_what_a_count_gives(database: Database, seed: int) -> None:
    rng, rollups, known = random.Random(seed), FigureRollups(database), 0
    for _ in range(6):
        async with database.begin() as connection:
            await _add(connection, rng, known, 60)
        known += 60
        for _ in range(3):
            async with database.begin() as connection:
                await _change(connection, rng, known)
        if rng.random() < 0.6:
            await rollups.fold()
        reader = FigureReader(database, 0)
        for period in PERIODS:
            assert await reader.read(period) == await _counted(database, period), period


async def test_two_that_fold_at_once_and_writers_beside_them_count_everything_once(database: Database) -> None:
    async def write(number: int) -> None:
        rng = random.Random(number)
        for n in range(10):
            async with database.begin() as connection:
                await _add(connection, rng, 100_000 * number + n * 20, 20)

    async def fold() -> None:
        rollups = FigureRollups(database)
        for _ in range(20):
            await rollups.fold()

    await asyncio.gather(*(write(n) for n in range(3)), fold(), fold())
    reader = FigureReader(database, 0)
    for period in PERIODS:
        assert await reader.read(period) == await _counted(database, period), period


async def test_ten_times_as_many_cases_of_the_same_days_cost_no_more(database: Database) -> None:
    rng, rollups = random.Random(1), FigureRollups(database)

    async def rows() -> int:
        await rollups.fold()
        async with database.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM figure_runs_change")) == 0
            return int(await connection.scalar(text("SELECT count(*) FROM figure_runs WHERE agency = ''")) or 0)

    async with database.begin() as connection:
        await _add(connection, rng, 0, 8_000)
    before = await rows()
    async with database.begin() as connection:
        await _add(connection, rng, 10_000, 80_000)
    assert await rows() <= before * 1.1
