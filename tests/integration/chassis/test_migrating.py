"""Migrations beside others: a database that is not there yet, one that a later release has migrated, tables that somebody holds."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.support.database import execute
from tests.support.names import NAME_KEY
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.persistence.database_retry import DatabaseUnavailable
from tuntas_chassis.persistence.migrations import head_revision, is_served_by, upgrade
from tuntas_embedded.ports import free_port

ROOT = Path(__file__).parents[3]
PACKAGE = "triage"
LATER = "9999"


def _alchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _environment(url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TUNTAS_", "PG"))}
    return kept | {
        "TUNTAS_DATABASE_URL": url,
        "TUNTAS_KAFKA": "not-used.invalid:9093",
        "TUNTAS_OIDC_ISSUER": "https://not-used.invalid",
        "TUNTAS_NAME_KEYS": NAME_KEY,
        **more,
    }


async def _revision_of(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


async def _migrated_later(servers: Servers) -> str:
    """A database that a release after this one has migrated."""
    url = servers.database()
    await upgrade(PACKAGE, _alchemy(url))
    await execute(url, f"UPDATE alembic_version SET version_num = '{LATER}'")
    return url


async def test_the_migration_of_a_former_release_leaves_a_later_schema_alone_and_succeeds(servers: Servers) -> None:
    url = await _migrated_later(servers)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", PACKAGE, "migrate"], env=_environment(url), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "a later release has migrated the database" in done.stdout
    assert await _revision_of(url) == LATER


async def test_a_pod_of_a_former_release_starts_on_a_later_schema(servers: Servers) -> None:
    url = await _migrated_later(servers)
    assert is_served_by(PACKAGE, LATER)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(ROOT / "deploy" / "k8s" / "base" / "service" / "wait_for_schema.py")],
        env=_environment(url, SERVICE=PACKAGE),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_migration_waits_for_its_database(servers: Servers) -> None:
    url = servers.database()
    name = url.rpartition("/")[2]
    await execute(servers.admin_url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    migrating = asyncio.create_task(upgrade(PACKAGE, _alchemy(url), timeout_s=60))
    _, unfinished = await asyncio.wait({migrating}, timeout=1)
    assert unfinished, "it does not give up at the first refusal"
    await execute(servers.admin_url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    await migrating
    assert await _revision_of(url) == head_revision(PACKAGE)


async def test_a_database_that_stays_away_is_reported_in_one_sentence() -> None:
    nowhere = f"postgresql+asyncpg://a:b@127.0.0.1:{free_port()}/a"
    with pytest.raises(
        DatabaseUnavailable, match=r"^migrate: not possible after 1 s \(ConnectionRefusedError: .*\): see whether the server runs"
    ):
        await upgrade(PACKAGE, nowhere, timeout_s=1)


async def test_a_table_that_somebody_holds_is_waited_for_without_holding_up_others(servers: Servers) -> None:
    url = servers.database()
    await execute(url, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    holder, other = await asyncpg.connect(url), await asyncpg.connect(url)
    await holder.execute("BEGIN; LOCK alembic_version IN ROW EXCLUSIVE MODE; CREATE TABLE outbox (held int)")
    migrating = asyncio.create_task(upgrade(PACKAGE, _alchemy(url)))

    async def tried() -> bool:
        return bool(await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))

    await until(tried, "the migration waits for the table")

    async def gave_way() -> bool:
        return not await tried()

    await until(gave_way, "it releases the lock, so that nobody queues behind it for long", 20)
    assert not migrating.done()
    await holder.execute("ROLLBACK")
    await migrating
    assert await _revision_of(url) == head_revision(PACKAGE)
    await holder.close()
    await other.close()
