"""A transaction that each test leaves without a trace."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@pytest.fixture
async def database(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose changes are taken back."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()
