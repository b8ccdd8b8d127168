"""Fixtures that every part of the suite may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Servers, start_servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real Kafka and PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("servers")
    folder.chmod(0o711)
    running = start_servers(folder)
    yield running
    running.stop()
