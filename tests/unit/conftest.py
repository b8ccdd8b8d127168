"""Unit tests need no server."""

import pytest


@pytest.fixture(scope="session")
def servers() -> None:
    """Kafka and PostgreSQL are not for unit tests."""
    pytest.fail("a unit test asks for Kafka and PostgreSQL: move it to tests/integration/<service>")
