"""Deliveries that end with their test."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tuntas_chassis.service import ServiceApp


@pytest.fixture
async def make(servers: Servers) -> AsyncIterator[Callable[..., Delivery]]:
    """Makes a delivery on new topics and a new database, with these settings."""
    made: list[Delivery] = []

    def one(**options: Any) -> Delivery:
        made.append(Delivery.make(servers, **options))
        return made[-1]

    yield one
    for delivery in made:
        await delivery.crash()


@pytest.fixture(scope="module")
async def opened(servers: Servers) -> AsyncIterator[ServiceApp]:
    """The counting service with its database, reading and sending nothing."""
    made = Delivery.make(servers).app()
    await made.migrate()
    yield made
    await made.database.close()


@pytest.fixture
async def app(opened: ServiceApp) -> ServiceApp:
    """The same with empty tables."""
    async with opened.database.begin() as connection:
        await connection.execute(text("TRUNCATE tally, note, outbox, inbox"))
    return opened
