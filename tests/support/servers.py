"""A real Kafka and a real PostgreSQL for tests, started once a session on free ports."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tuntas_embedded.folder import StackFolder
from tuntas_embedded.kafka.server import KafkaServer
from tuntas_embedded.ports import free_port
from tuntas_embedded.postgres.databases import provide_databases
from tuntas_embedded.postgres.server import PostgresServer
from tuntas_embedded.processes import Supervisor
from tuntas_operations.topics import TopicSpec, create_topics

_numbers = itertools.count(1)


@dataclass
class Servers:
    """The servers of a test session. Topics and databases are new for each test, by `topic` and `database`."""

    supervisor: Supervisor
    bootstrap: str
    admin_url: str

    def database(self) -> str:
        """The URL of a new, empty database with a role of its own."""
        name = f"test_{next(_numbers)}"
        with ThreadPoolExecutor(1) as outside:  # it runs an event loop of its own
            return outside.submit(provide_databases, self.admin_url, {name: "secret"}).result()[name]

    def topic(self, name: str = "test.topic", partitions: int = 4, **config: str) -> str:
        """The name of a new topic."""
        unique = f"{name}.{next(_numbers)}"
        create_topics(self.bootstrap, [TopicSpec(unique, partitions, config)])
        return unique

    def kill(self, part: str) -> None:
        """`kill -9` `kafka` or `postgres`."""
        self.supervisor.kill(part)

    def restart(self, part: str) -> None:
        """Start a part again on the same data and port."""
        self.supervisor.restart(part)

    def stop(self) -> None:
        """End both."""
        self.supervisor.stop_all()


def start_servers(folder: Path) -> Servers:
    """Start both in a new folder; returns when they answer."""
    stack = StackFolder(folder)
    stack.make()
    supervisor = Supervisor()
    postgres = PostgresServer(stack, free_port(), stack.logs / "postgres.log")
    kafka = KafkaServer(folder / "kafka", free_port(), free_port(), stack.logs / "kafka.log")
    try:
        for part in (postgres, kafka):
            supervisor.start(part.prepare())
    except BaseException:
        supervisor.stop_all()
        raise
    return Servers(supervisor, kafka.bootstrap, postgres.admin_url)
