"""Loading the register's files: what is new comes in, what an operator set stays, across loads and releases."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dispatch.adapters.register_store import Loaded, disable_in, enter_into, load_into, read_all
from dispatch.domain.register import Agency, load_register
from tests.support.servers import Servers
from tuntas_chassis.messages import Outgoing
from tuntas_chassis.migrations import upgrade
from tuntas_contracts.agencies import AgencyRegistered

FILES = load_register()
KEMENKES, KEMENDIK, BOGOR = (next(a for a in FILES if a.code == code) for code in ("kemenkes", "kemendikdasmen", "kab-32-01"))
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
async def engine(servers: Servers) -> AsyncIterator[AsyncEngine]:
    url = servers.database().replace("postgresql://", "postgresql+asyncpg://", 1)
    await upgrade("dispatch", url)
    made = create_async_engine(url)
    yield made
    await made.dispose()


@pytest.fixture
async def database(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


async def load(database: AsyncConnection, *agencies: Agency) -> Loaded:
    return await load_into(database, agencies, NOW)


async def stored(database: AsyncConnection, code: str) -> Agency:
    return (await read_all(database))[code].agency


def published(outgoing: Sequence[Outgoing]) -> list[tuple[str, bool]]:
    return [(m.body.code, m.body.enabled) for m in outgoing if isinstance(m.body, AgencyRegistered)]


async def test_the_first_load_brings_all_and_the_next_nothing(database: AsyncConnection) -> None:
    first = await load(database, KEMENKES, BOGOR)
    assert (first.added, published(first.outgoing)) == (2, [("kemenkes", True), ("kab-32-01", True)])
    again = await load(database, KEMENKES, BOGOR)
    assert (again.added, again.changed, again.unchanged, again.kept, again.outgoing) == (0, 0, 2, 0, [])


async def test_a_disabled_agency_stays_disabled(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    await disable_in(database, "kemenkes", NOW)
    again = await load(database, KEMENKES)
    assert (await read_all(database))["kemenkes"].enabled is False
    assert (again.changed, again.kept, again.outgoing) == (0, 1, [])
    renamed = await load(database, replace(KEMENKES, name="Kementerian Kesehatan RI"))
    assert published(renamed.outgoing) == [("kemenkes", False)]
    assert (await read_all(database))["kemenkes"].enabled is False


async def test_what_an_operator_set_stays_and_the_rest_follows_the_files(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    await enter_into(database, [replace(KEMENKES, email="pengaduan@kesehatan.example")], NOW)
    for name in ("Kementerian Kesehatan", "Kementerian Kesehatan RI"):  # two releases later still
        await load(database, replace(KEMENKES, name=name, email="lain@files.example"))
        found = await stored(database, "kemenkes")
        assert (found.email, found.name) == ("pengaduan@kesehatan.example", name)


async def test_what_the_files_changed_and_nobody_set_is_taken_over(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    changed = replace(KEMENKES, email="baru@kemenkes.example", units=KEMENDIK.units)
    loaded = await load(database, changed)
    assert (loaded.changed, loaded.kept, await stored(database, "kemenkes")) == (1, 0, changed)


async def test_an_agency_of_an_operator_is_never_taken_over_nor_taken_out(database: AsyncConnection) -> None:
    await enter_into(database, [replace(BOGOR, email="warga@bogor.example")], NOW)
    loaded = await load(database, KEMENKES)
    assert loaded.absent == 1
    await load(database, BOGOR)
    assert (await stored(database, "kab-32-01")).email == "warga@bogor.example"


async def test_entering_enables_again_and_publishes_only_what_changed(database: AsyncConnection) -> None:
    await load(database, KEMENKES, BOGOR)
    await disable_in(database, "kemenkes", NOW)
    assert published(await enter_into(database, [KEMENKES, BOGOR], NOW)) == [("kemenkes", True)]
    assert published(await enter_into(database, [KEMENKES, BOGOR], NOW)) == []
