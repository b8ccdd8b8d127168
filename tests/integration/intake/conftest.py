"""Fixtures of intake's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.intake.house import House
from tests.support.servers import Servers


@pytest.fixture
async def house(servers: Servers) -> AsyncIterator[House]:
    """Intake on a database of its own."""
    opened = House(servers)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def two_replicas(servers: Servers) -> AsyncIterator[House]:
    """Two replicas of intake on one database."""
    opened = House(servers, replicas=2)
    await opened.open()
    yield opened
    await opened.close()
