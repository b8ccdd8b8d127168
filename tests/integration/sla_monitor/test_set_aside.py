"""One row that this code can't handle among 1,000 due checkpoints, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from sla_monitor.adapters.clock_queries import NEWEST, ClockQueries
from sla_monitor.adapters.due import SOURCES, DueCheckpoints
from sla_monitor.adapters.set_aside import SetAsideCheckpoints
from sla_monitor.application.checkpoint_scheduler import CheckpointScheduler
from sla_monitor.entrypoints.subscriptions import CONSUMER
from sla_monitor.metrics import METRICS
from tests.support.servers import Servers
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.set_aside_rows import retry_all
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Clock

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
NUMBER = 1_000
TABLES = "case_clocks, clock_run, checkpoint, checkpoint_set_aside, outbox, partition_watermark, consumer_offset"
BAD = UUID(int=500)


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def from_broker(self, timestamp_ms: int) -> datetime:
        return NOW


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
    """1,000 cases, each with one warning of C2 that is due, everything before which has been read."""
    async with migrated.begin() as connection:
        await connection.execute(text(f"TRUNCATE {TABLES}"))
        for source in SOURCES:
            await connection.execute(text("INSERT INTO partition_watermark VALUES (0, :source, 1, :at)"), {"source": source, "at": NOW})
        await connection.execute(
            text("INSERT INTO consumer_offset (consumer, topic, partition, position) VALUES (:consumer, :topic, 0, 10)"),
            {"consumer": CONSUMER, "topic": CASES.name},
        )
        await connection.execute(
            text(
                "INSERT INTO case_clocks (case_id, partition, version, state, profile, time_zone, received_at, bounces, clocks) "
                "SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 0, 2, 'at_agency', 'permenpan-62-2018', 'Asia/Jakarta', :at, 0, '{}' "
                "FROM generate_series(1, :number) AS n"
            ),
            {"at": NOW - timedelta(days=3), "number": NUMBER},
        )
        await connection.execute(
            text(
                "INSERT INTO clock_run (case_id, clock, deadline_version, started_at, due_at, outcome, agency, provisional, profile) "
                "SELECT case_id, 'C2', 1, received_at, :due, 'running', 'dinas-pu', false, profile FROM case_clocks"
            ),
            {"due": NOW + timedelta(days=1)},
        )
        await connection.execute(
            text(
                "INSERT INTO checkpoint (case_id, clock, deadline_version, level, partition, fire_at) "
                "SELECT case_id, 'C2', 1, 'reminder', 0, :at FROM case_clocks"
            ),
            {"at": NOW - timedelta(minutes=1)},
        )
    return migrated


@pytest.fixture
def metrics() -> MetricSet:
    return MetricSet((*CHASSIS_METRICS, *METRICS))


def loop_on(database: Database, metrics: MetricSet, outbox: Outbox | None = None) -> CheckpointScheduler:
    return CheckpointScheduler(
        DueCheckpoints(CONSUMER, CASES.name),
        SetAsideCheckpoints(database, metrics),
        database,
        outbox or Outbox(24, lambda: None, lambda: False),
        Still(),
        metrics,
        interval_s=1,
        batch=10 * NUMBER,
    )


async def announced(database: Database) -> int:
    async with database.connect() as connection:
        return int((await connection.execute(text("SELECT count(DISTINCT key) FROM outbox"))).scalar_one())


async def spoil(database: Database, statement: str, **values: object) -> None:
    async with database.begin() as connection:
        await connection.execute(text(statement), {"bad": BAD, **values})


@pytest.mark.parametrize(
    ("what", "statement", "mend"),
    [
        ("level", "UPDATE checkpoint SET level = 'purple' WHERE case_id = :bad", "UPDATE checkpoint_set_aside SET level = 'reminder'"),
        ("clock", "UPDATE clock_run SET agency = '?' WHERE case_id = :bad", "UPDATE clock_run SET agency = 'dinas-pu' WHERE agency = '?'"),
        (
            "profile",
            "UPDATE clock_run SET profile = 'permenpan-9-2031' WHERE case_id = :bad",
            "UPDATE clock_run SET profile = 'permenpan-62-2018'",
        ),
        (
            "class",
            "UPDATE clock_run SET service_class = 'express' WHERE case_id = :bad",
            "UPDATE clock_run SET service_class = NULL",
        ),
    ],
)
async def test_the_other_999_go_out_in_the_same_round_and_the_bad_one_once_the_code_can_handle_it(
    database: Database, metrics: MetricSet, what: str, statement: str, mend: str
) -> None:
    await spoil(database, statement)
    loop, aside = loop_on(database, metrics), SetAsideCheckpoints(database, metrics)
    assert not await loop.fire()
    assert await announced(database) == NUMBER - 1, what
    (row,) = await aside.page("", 10)
    assert (row.case_id, await aside.number()) == (BAD, 1)
    assert row.reason
    assert await aside.page(row.position, 10) == []
    assert metrics.value("tuntas_rows_set_aside_total", "checkpoint") == 1
    shown = await ClockQueries(database).find(BAD, dict.fromkeys(Clock, NEWEST), 20)
    assert shown is not None

    # as after a release that knows it: what was set aside is due again
    async with database.begin() as connection:
        await connection.execute(text(mend))
    assert await retry_all(aside) == 1
    await loop.fire()
    assert await announced(database) == NUMBER
    assert await aside.number() == 0


async def test_a_row_that_is_still_unknown_is_set_aside_again(database: Database, metrics: MetricSet) -> None:
    await spoil(database, "UPDATE checkpoint SET level = 'purple' WHERE case_id = :bad")
    loop, aside = loop_on(database, metrics), SetAsideCheckpoints(database, metrics)
    await loop.fire()
    assert await retry_all(aside) == 1
    await loop.fire()
    assert await announced(database) == NUMBER - 1
    assert await aside.number() == 1


class PickyOutbox(Outbox):
    """Refuses the message of one case, as a message that is too large is refused."""

    async def write(self, connection, outgoing, cause=None, traceparents=None) -> None:  # type: ignore[no-untyped-def]
        if any(message.key == str(BAD) for message in outgoing):
            raise ValueError(f"the message of {BAD} can't be written")
        await super().write(connection, outgoing, cause, traceparents)


async def test_a_fault_that_shows_only_while_it_is_written_stops_its_own_case_alone(database: Database, metrics: MetricSet) -> None:
    loop = loop_on(database, metrics, PickyOutbox(24, lambda: None, lambda: False))
    await loop.fire()
    assert await announced(database) == NUMBER - 1
    (row,) = await SetAsideCheckpoints(database, metrics).page("", 10)
    assert row.case_id == BAD
    assert "can't be written" in row.reason


async def test_pages_follow_one_another(database: Database, metrics: MetricSet) -> None:
    await spoil(database, "UPDATE clock_run SET profile = 'permenpan-9-2031' WHERE case_id <= :bad")
    await loop_on(database, metrics).fire()
    aside = SetAsideCheckpoints(database, metrics)
    seen: list[UUID] = []
    position = ""
    while page := await aside.page(position, 200):
        seen += [row.case_id for row in page]
        position = page[-1].position
    assert seen == [UUID(int=n) for n in range(1, 501)]
    with pytest.raises(ValueError, match=r"unpack|badly"):
        await aside.page("not a position", 10)
