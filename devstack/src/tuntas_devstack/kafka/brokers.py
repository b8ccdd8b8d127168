"""Which brokers a stack of ours has: one or several nodes of one cluster, each with a folder, ports and a part of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tuntas_devstack.kafka.access import credentials_of
from tuntas_devstack.state import Part
from tuntas_embedded.folder import StackFolder
from tuntas_embedded.kafka.server import KafkaServer, broker_name, new_cluster_id
from tuntas_embedded.kafka.settings import Node
from tuntas_embedded.processes import Supervisor
from tuntas_operations.errors import StackError

_COUNT, _CLUSTER = "kafka-brokers", "kafka-cluster"

PortOf = Callable[[str], int]


def broker_names(count: int) -> list[str]:
    """The parts' names of so many brokers."""
    return [broker_name(number) for number in range(1, count + 1)]


@dataclass(frozen=True, slots=True)
class Brokers:
    """The brokers of one stack, not yet started.

    `port_of(name)` chooses a part's port. `proxies` are the ports of the proxies through which some clients come, by broker.
    `environment` adds variables to single brokers' processes.
    """

    folder: StackFolder
    count: int
    port_of: PortOf
    proxies: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def start(self, supervisor: Supervisor, on_fetch: Callable[[int], None]) -> list[Part]:
        """Start all of them at once, each of which is ready only when the others are; gives the parts in their order.

        Raises:
            StackError: they can't be had, or the folder's data are of another number of brokers.
        """
        self._refuse_another_number()
        names = broker_names(self.count)
        controllers = {number: self.port_of(f"{name}-controller") for number, name in enumerate(names, 1)}
        cluster_id = self._cluster_id()
        with ThreadPoolExecutor(max_workers=self.count, thread_name_prefix="broker") as pool:
            starting = [pool.submit(self._start, supervisor, on_fetch, number, controllers, cluster_id) for number in controllers]
            return [future.result() for future in starting]

    def _start(
        self, supervisor: Supervisor, on_fetch: Callable[[int], None], number: int, controllers: Mapping[int, int], cluster_id: str
    ) -> Part:
        name = broker_name(number)
        log = self.folder.logs / f"{name}.log"
        proxied = (self.port_of(f"{name}-proxied"), self.proxies[name]) if name in self.proxies else None
        server = KafkaServer(
            self.folder.path / name,
            self.port_of(name),
            controllers[number],
            log,
            credentials_of(self.folder),
            node=Node(number, controllers, proxied),
            cluster_id=cluster_id,
            environment=self.environment.get(name, {}),
        )
        process = supervisor.start(server.prepare(on_fetch=on_fetch, cancelled=supervisor.is_closing))
        return Part(name=name, kind="kafka", address=server.bootstrap, pid=process.pid, log=str(log))

    def _refuse_another_number(self) -> None:
        data = self.folder.path / broker_name(1) / "data"
        kept = self.folder.recall(_COUNT) or (1 if data.exists() else self.count)
        if kept != self.count and data.exists():
            raise StackError(
                f"the data in {self.folder.path} are of {kept} broker(s), and {self.count} were asked for: "
                f"ask for --brokers {kept}, or name another folder with --folder"
            )
        self.folder.remember(_COUNT, self.count)

    def _cluster_id(self) -> str:
        kept: str | None = self.folder.recall(_CLUSTER)
        if kept is None:
            kept = new_cluster_id()
            self.folder.remember(_CLUSTER, kept)
        return kept
