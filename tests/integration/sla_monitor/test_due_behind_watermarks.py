"""Which due checkpoints may fire, and what the others wait for: watermarks, agencies and dead letters on a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from sla_monitor.adapters.backlog import Backlog, backlog
from sla_monitor.adapters.due import SOURCES, DueCheckpoints
from sla_monitor.adapters.watermark_store import MOST_AHEAD, WatermarkStore
from sla_monitor.application.watermarks import Watermark
from sla_monitor.entrypoints.subscriptions import CONSUMER
from tests.support.servers import Servers
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.topology import CASES
from tuntas_contracts.watermarks import LateAgency

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
DUE = NOW - timedelta(minutes=10)
AT_A, AT_B, ELSEWHERE = UUID(int=1), UUID(int=2), UUID(int=3)
A, B = "dinas-a", "dinas-b"


@pytest.fixture(scope="module")
async def migrated(servers: Servers) -> AsyncIterator[Database]:
    settings = ServiceSettings(
        environment="test", kafka=servers.bootstrap, database_url=SecretStr(servers.database()), oidc_issuer="http://127.0.0.1:1"
    )
    await upgrade("sla_monitor", settings.sqlalchemy_url)
    database = Database(settings, "sla-monitor-test")
    yield database
    await database.close()


@pytest.fixture
async def database(migrated: Database) -> Database:
    """Two cases on partition 0, at agencies A and B, and one on partition 1, each with a deadline that is due; both are read up to 10."""
    async with migrated.begin() as connection:
        await connection.execute(
            text("TRUNCATE case_clocks, clock_run, checkpoint, outbox, partition_watermark, consumer_offset, parked_message")
        )
        for case_id, partition, agency in ((AT_A, 0, A), (AT_B, 0, B), (ELSEWHERE, 1, A)):
            values = {"case": case_id, "partition": partition, "agency": agency, "due": DUE, "from": DUE - timedelta(days=3)}
            await connection.execute(
                text(
                    "INSERT INTO case_clocks "
                    "(case_id, partition, version, state, profile, time_zone, received_at, agency, bounces, clocks) VALUES "
                    "(:case, :partition, 2, 'at_agency', 'permenpan-62-2018', 'Asia/Jakarta', :from, :agency, 0, '{}')"
                ),
                values,
            )
            await connection.execute(
                text(
                    "INSERT INTO clock_run (case_id, clock, deadline_version, started_at, due_at, outcome, agency, provisional, profile) "
                    "VALUES (:case, 'C2', 1, :from, :due, 'running', :agency, false, 'permenpan-62-2018')"
                ),
                values,
            )
            await connection.execute(
                text(
                    "INSERT INTO checkpoint (case_id, clock, deadline_version, level, partition, fire_at) "
                    "VALUES (:case, 'C2', 1, 'missed', :partition, :due)"
                ),
                values,
            )
        for partition in (0, 1):
            await connection.execute(
                text("INSERT INTO consumer_offset (consumer, topic, partition, position) VALUES (:consumer, :topic, :partition, 10)"),
                {"consumer": CONSUMER, "topic": CASES.name, "partition": partition},
            )
    return migrated


async def keep(database: Database, *watermarks: Watermark) -> None:
    async with database.begin() as connection:
        await WatermarkStore(CONSUMER, CASES.name, lambda: None).save(connection, [], watermarks)


def everywhere(at: datetime = NOW, end_offset: int = 10, **dispatch: object) -> list[Watermark]:
    """One of each source on both partitions; what `dispatch` says beside its time is given."""
    return [
        Watermark(partition, source, at, end_offset, **(dispatch if source == "dispatch" else {}))  # type: ignore[arg-type]
        for partition in (0, 1)
        for source in SOURCES
    ]


async def fireable(database: Database) -> set[UUID]:
    async with database.connect() as connection:
        found, _ = await DueCheckpoints(CONSUMER, CASES.name).cases(connection, NOW, 100)
    async with database.begin() as connection:
        taken = {row.case_id for row in await DueCheckpoints(CONSUMER, CASES.name).take_of(connection, NOW, [AT_A, AT_B, ELSEWHERE])}
        await connection.rollback()
    assert taken == set(found), "what is found is what may be taken"
    return taken


async def measured(database: Database) -> Backlog:
    async with database.connect() as connection:
        return await backlog(connection, CONSUMER, CASES.name, NOW, 2)


async def test_nothing_fires_without_watermarks(database: Database) -> None:
    assert await fireable(database) == set()
    found = await measured(database)
    assert found.held == {"watermark": 3}
    assert {source: lag.partitions for source, lag in found.sources.items()} == dict.fromkeys(SOURCES, 0)


async def test_what_lies_behind_the_watermarks_of_all_sources_fires(database: Database) -> None:
    await keep(database, *everywhere())
    assert await fireable(database) == {AT_A, AT_B, ELSEWHERE}
    assert {item.case_id for item in (await measured(database)).unfired} == {AT_A, AT_B, ELSEWHERE}
    assert (await measured(database)).held == {}


async def test_a_watermark_whose_end_offset_is_not_read_does_not_count(database: Database) -> None:
    await keep(database, *everywhere(at=DUE - timedelta(hours=1)), *everywhere(end_offset=11))
    assert await fireable(database) == set()
    async with database.begin() as connection:
        await connection.execute(text("UPDATE consumer_offset SET position = 11 WHERE partition = 0"))
    assert await fireable(database) == {AT_A, AT_B}


async def test_a_partition_without_one_sources_watermark_holds_up_no_other(database: Database) -> None:
    await keep(database, *(w for w in everywhere() if (w.partition, w.source) != (0, "triage")))
    assert await fireable(database) == {ELSEWHERE}
    assert (await measured(database)).sources["triage"].partitions == 1


@pytest.mark.parametrize("at", [None, DUE])
async def test_a_late_agency_delays_its_own_cases_only(database: Database, at: datetime | None) -> None:
    await keep(database, *everywhere(late_agencies=(LateAgency(agency=A, at=at),)))
    assert await fireable(database) == {AT_B}
    assert (await measured(database)).held == {"agency": 2}


async def test_a_late_agencys_deadline_fires_once_its_own_time_has_passed_it(database: Database) -> None:
    await keep(database, *everywhere(late_agencies=(LateAgency(agency=A, at=DUE + timedelta(seconds=1)),)))
    assert await fireable(database) == {AT_A, AT_B, ELSEWHERE}


async def test_a_case_with_a_dead_letter_at_a_source_waits_and_the_source_is_named(database: Database) -> None:
    await keep(database, *(w for w in everywhere(held_cases=(AT_B,)) if w.partition == 0), *(w for w in everywhere() if w.partition == 1))
    assert await fireable(database) == {AT_A, ELSEWHERE}
    assert (await measured(database)).held == {"dead letter in dispatch": 1}
    await keep(database, *everywhere(at=NOW + timedelta(seconds=1)))
    assert await fireable(database) == {AT_A, AT_B, ELSEWHERE}, "it was replayed"


async def test_a_monitor_that_lags_keeps_some_watermarks_ahead_and_not_more(database: Database) -> None:
    for n in range(1_000):
        await keep(database, Watermark(0, "dispatch", NOW + timedelta(seconds=n), 11 + n))
    async with database.connect() as connection:
        offsets = list((await connection.execute(text("SELECT end_offset FROM partition_watermark ORDER BY 1"))).scalars())
    assert MOST_AHEAD / 2 <= len(offsets) <= MOST_AHEAD
    assert offsets[-1] == 1_010
    widest = max(after - before for before, after in zip([11, *offsets], offsets, strict=False))
    assert widest <= 100, "wherever it has read to, one of them is near"
    async with database.begin() as connection:
        await connection.execute(text("UPDATE consumer_offset SET position = 2000"))
    await keep(database, Watermark(0, "dispatch", NOW + timedelta(hours=1), 1_500))
    async with database.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM partition_watermark"))).scalar_one() == 1
