"""A service as its operators meet it: a process that starts, says how it is, and ends well."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until
from tuntas_chassis.persistence.migrations import head_revision

KEYS = [f"key-{n}" for n in range(20)]


@pytest.fixture
async def start(make: Callable[..., Delivery]) -> AsyncIterator[Callable[..., Any]]:
    started: list[ServiceProcess] = []

    async def one(delivery: Delivery | None = None, command: str = "serve", **changes: str) -> ServiceProcess:
        started.append(ServiceProcess(delivery or make(), changes))
        return await started[-1].start(command)

    yield one
    for process in started:
        await process.kill()


async def _allow_connections(servers: Servers, database_url: str, allowed: bool) -> None:
    """Let nobody into a database any more and throw out who is there, or let them in again."""
    name = database_url.rpartition("/")[2]
    admin = await asyncpg.connect(servers.admin_url)
    try:
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
        if not allowed:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await admin.close()


async def test_it_reports_its_health_and_loses_nothing_when_stopped(start: Callable[..., Any], servers: Servers) -> None:
    process: ServiceProcess = await start()
    delivery = process.delivery
    await process.until_ready()
    assert (await process.get("/livez")).json() == {"status": "ok"}
    await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(20)])

    async def counted() -> bool:
        return 'outcome="applied",type="Added"} 400.0' in (await process.get("/metrics")).text

    await until(counted, "400 additions are counted")
    scraped = (await process.get("/metrics")).text
    assert 'tuntas_consumer_lag_messages{consumer="counting.in"} 0.0' in scraped
    assert "# HELP tuntas_outbox_age_seconds" in scraped
    parked = await process.get("/v1/parked")
    assert (parked.status_code, parked.headers["content-type"]) == (401, "application/problem+json")

    await _allow_connections(servers, delivery.database_url, False)
    away = await process.until_ready(503)
    assert "does not answer" in away.json()["database"]
    assert (await process.get("/livez")).status_code == 200, "a database that is away is no reason to restart the service"
    assert (await process.get("/metrics")).status_code == 200
    await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(20)])
    await _allow_connections(servers, delivery.database_url, True)
    assert (await process.until_ready()).json() == {"status": "ok"}

    await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(60)])
    process.terminate()
    status, log = await process.ended()
    assert status == 0, log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"started", "stopping", "stopped"} <= {line["event"] for line in lines}
    assert not [line for line in lines if line["event"] == "drain_timed_out"]
    totals = await delivery.totals()
    assert len(await delivery.published()) == sum(steps for _, steps in totals.values()), "what was committed was published before the end"
    assert await delivery.query("SELECT id FROM outbox") == []


async def test_without_its_schema_it_waits_and_says_so_until_two_that_migrate_at_once_are_through(
    start: Callable[..., Any], make: Callable[..., Delivery]
) -> None:
    delivery = make()
    process: ServiceProcess = await start(delivery, TUNTAS_MIGRATE_ON_START="false")
    reasons = (await process.until_ready(503)).json()
    assert f"this code needs {head_revision('tests.support.counting')}" in reasons["migrations"]
    for migration in [await start(delivery, "migrate") for _ in range(2)]:
        status, log = await migration.ended()
        assert status == 0, log
    assert [row.version_num for row in await delivery.query("SELECT version_num FROM alembic_version")] == [
        head_revision("tests.support.counting")
    ]
    await process.until_ready()
    process.terminate()
    assert (await process.ended())[0] == 0


async def test_it_can_be_stopped_before_it_has_reached_any_server(start: Callable[..., Any]) -> None:
    process: ServiceProcess = await start(TUNTAS_KAFKA="127.0.0.1:1")
    await process.until_ready(503)
    process.terminate()
    status, log = await process.ended()
    assert status == 0, log
