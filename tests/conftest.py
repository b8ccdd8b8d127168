"""Fixtures that every part of the suite may use, and who works beside whom when the suite runs in several processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.servers import Servers, start_servers

_E2E = Path(__file__).parent / "e2e"
_OWN_STACK = ("test_demo.py", "test_drills.py", "test_fault_drills.py", "test_kafka_lost.py", "test_reading_again.py")
"""End-to-end tests that run a platform of their own; the others share one."""
_PLATFORMS_AT_ONCE = 2


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real Kafka and PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("servers")
    folder.chmod(0o711)
    running = start_servers(folder)
    yield running
    running.stop()


class _ByPlatform(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Tests that share a platform run in one process, in order; so do those of a file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder, _, name = file.rpartition("/")
        return folder if folder.endswith(f"/{_E2E.name}") and name not in _OWN_STACK else file

    def _assign_work_unit(self, node: object) -> None:
        """Two processes at most work on whole platforms at a time; the others meanwhile do what mostly waits for single servers."""
        busy = sum(
            any(_is_end_to_end(scope) and not all(tests.values()) for scope, tests in units.items())
            for other, units in self.assigned_work.items()
            if other is not node
        )
        wanted = busy < _PLATFORMS_AT_ONCE
        chosen = next((scope for scope in self.workqueue if _is_end_to_end(scope) is wanted), None)
        if chosen is not None:
            self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def _is_end_to_end(scope: str) -> bool:
    return f"/{_E2E.name}" in scope


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _ByPlatform:
    """Who gets which tests, where they run in several processes."""
    return _ByPlatform(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs Kafka and PostgreSQL; the longest first where several processes share the work: drills, then end to end."""
    for item in items:
        if {"servers", "platform"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.get_closest_marker("drill") is None, not item.path.is_relative_to(_E2E)))
