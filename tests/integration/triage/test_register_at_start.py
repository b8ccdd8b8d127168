"""A replica of triage decides on no report before it knows the register as its topic had it when the replica started."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.integration.triage.replicas import TIMEOUT_S, Replicas, an_entry
from tests.support.servers import Servers, start_servers
from tests.support.waiting import until
from tuntas_contracts.vocabulary import CaseState
from tuntas_operations.topics import create_topics, topics_for

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of this module's own: its topics have the names that triage reads."""
    folder: Path = tmp_path_factory.mktemp("triage")
    folder.chmod(0o711)
    running = start_servers(folder)
    create_topics(running.bootstrap, topics_for([]))
    yield running
    running.stop()


@pytest.fixture
async def replicas(servers: Servers) -> AsyncIterator[Replicas]:
    made = Replicas(servers)
    yield made
    await made.stop_all()


async def test_a_second_replica_knows_what_changed_before_it_joined(replicas: Replicas) -> None:
    await replicas.register(an_entry("instansi-satu"), an_entry("instansi-dua"))
    first = await replicas.start()
    await replicas.register(an_entry("instansi-satu", enabled=False, minutes=1))
    await replicas.until_known("instansi-satu", enabled=False)
    await replicas.start()
    await replicas.stop(first)
    disabled, enabled = await replicas.submit(12, "instansi-satu"), await replicas.submit(12, "instansi-dua")
    assert set((await replicas.decisions(disabled)).values()) == {CaseState.RECEIVED}
    assert set((await replicas.decisions(enabled)).values()) == {CaseState.AT_AGENCY}


async def test_a_change_that_another_replica_reads_while_the_second_starts_is_known(replicas: Replicas) -> None:
    """The register's topic has one partition, the other replica's: what the second knows of it is in the database alone."""
    await replicas.register(an_entry("instansi-tiga"))
    first = await replicas.start()
    await replicas.until_known("instansi-tiga", enabled=True)
    async with first.database.begin() as connection:
        await connection.execute(text("SELECT 1 FROM agency WHERE code = 'instansi-tiga' FOR UPDATE"))
        await replicas.register(an_entry("instansi-tiga", enabled=False, minutes=1))

        async def waits() -> bool:
            async with first.database.connect() as other:
                return bool(await other.scalar(_WAITING))

        await until(waits, "the first replica reads the change, and waits for the row", TIMEOUT_S)
        second = replicas.make()
        replicas.begin(second)
        register = second._consumers["register"]

        async def seen() -> bool:
            return register._assigned_once

        await until(seen, "the second has seen where the topic ends", TIMEOUT_S)
        assert not register.caught_up
        assert "consumer cases" in await second.unready()
    await replicas.ready(second)
    await replicas.stop(first)
    ids = await replicas.submit(24, "instansi-tiga")
    assert set((await replicas.decisions(ids)).values()) == {CaseState.RECEIVED}
