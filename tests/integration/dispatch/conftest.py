"""Dispatch's database, one for each module, and a transaction that each test leaves without a trace."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tests.support.servers import Servers
from tuntas_chassis.migrations import upgrade


@pytest.fixture(scope="module")
async def url(servers: Servers) -> str:
    """A new database at dispatch's schema."""
    found = servers.database()
    await upgrade("dispatch", found.replace("postgresql://", "postgresql+asyncpg://", 1))
    return found


@pytest.fixture(scope="module")
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to it."""
    made = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    yield made
    await made.dispose()


@pytest.fixture
async def database(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose changes are taken back."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()
