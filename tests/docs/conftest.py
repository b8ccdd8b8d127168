"""One platform for the snippets, as `tuntas up --agencies kota-32-73` gives it: real Kafka, PostgreSQL, five services."""

from collections.abc import Iterator

import pytest

from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack with the topics of one agency."""
    folder = tmp_path_factory.mktemp("snippets") / "stack"
    running = Stack(folder, StackOptions(agencies=("kota-32-73",), ready_within_s=180, kafka=None, database=None))
    running.start()
    try:
        yield running
    finally:
        running.stop()
        running.delete_data()
