"""The migrations of each service lead to the tables that its code uses."""

from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.servers import Servers
from tuntas_chassis.persistence.migrations import head_revision, upgrade
from tuntas_chassis.persistence.schema import TABLE_NAMES
from tuntas_contracts.vocabulary import Service


def _differences(connection: Connection, metadata: MetaData) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_name": lambda name, kind, _parents: not (kind == "table" and name in TABLE_NAMES),
            "compare_server_default": True,
        },
    )
    return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("package", [service.value.replace("-", "_") for service in Service])
async def test_an_empty_database_becomes_what_the_code_expects(servers: Servers, package: str) -> None:
    url = servers.database().replace("postgresql://", "postgresql+asyncpg://", 1)
    await upgrade(package, url)
    await upgrade(package, url)  # a second time changes nothing
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision()) == head_revision(package)
            assert await connection.run_sync(_differences, import_module(f"{package}.adapters.tables").METADATA) == []
    finally:
        await engine.dispose()
