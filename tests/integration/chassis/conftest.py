"""Deliveries that end with their test."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.delivery import Delivery
from tests.support.servers import Servers


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
