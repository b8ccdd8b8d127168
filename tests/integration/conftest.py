"""A service's database, one for each module of its tests."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.servers import Servers
from tuntas_chassis.persistence.migrations import upgrade


@pytest.fixture(scope="module")
async def url(request: pytest.FixtureRequest, servers: Servers) -> str:
    """A new database at the schema of the service after which the folder of the test is named."""
    found = servers.database()
    await upgrade(request.path.parent.name, found.replace("postgresql://", "postgresql+asyncpg://", 1))
    return found


@pytest.fixture(scope="module")
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to it."""
    made = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    yield made
    await made.dispose()
