"""Fixtures of intake's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.intake.harness import IntakeHarness
from tests.support.servers import Servers


@pytest.fixture
async def harness(servers: Servers) -> AsyncIterator[IntakeHarness]:
    """Intake on a database of its own."""
    opened = IntakeHarness(servers)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def two_replicas(servers: Servers) -> AsyncIterator[IntakeHarness]:
    """Two replicas of intake on one database."""
    opened = IntakeHarness(servers, replicas=2)
    await opened.open()
    yield opened
    await opened.close()
