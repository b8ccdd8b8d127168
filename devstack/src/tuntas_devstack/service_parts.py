"""The services of one stack as processes: started beside each other, further replicas while they run."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.options import StackOptions
from tuntas_devstack.service_environment import Place, Surroundings, service_environment
from tuntas_devstack.state import Part
from tuntas_embedded.folder import StackFolder
from tuntas_embedded.ports import LOOPBACK, answers_ready
from tuntas_embedded.processes import ProcessSpec, Supervisor

SERVICES_STAGE = 1


class ServiceParts:
    """Starts services in their surroundings; `add` is called with each part once it is ready, `port_of(name)` chooses its port.

    `proxied` is how the surroundings look to the parts behind proxies.
    """

    def __init__(
        self,
        folder: StackFolder,
        options: StackOptions,
        supervisor: Supervisor,
        surroundings: Surroundings,
        proxied: Surroundings,
        port_of: Callable[[str], int],
        add: Callable[[Part], None],
    ) -> None:
        self._folder = folder
        self._options = options
        self._supervisor = supervisor
        self._surroundings = surroundings
        self._proxied = proxied
        self._port_of = port_of
        self._add = add

    def places(self) -> list[Place]:
        """Every process that the options ask for."""
        options = self._options
        return [Place(service, part, self._port_of(part)) for service in options.services for part in options.part_names(service)]

    def start_all(self, pool: Executor, all_topics: "Future[int]", load_register: Callable[[], None]) -> None:
        """Start them all; returns when each is ready.

        Raises:
            StackError: one does not become ready.
        """
        places = self.places()
        # The first of each service migrates its database; further replicas find it done.
        first = [place for place in places if place.part == place.service.value]
        further = [place for place in places if place not in first]
        # Only dispatch reads agencies' topics: the others start while the broker is busy making them.
        early = [place for place in first if place.service is not Service.DISPATCH]
        starting = [pool.submit(self.start, place) for place in early]
        first_failure([all_topics])
        starting += [pool.submit(self.start, place) for place in first if place not in early]
        first_failure(starting)
        load_register()
        # Last, so that each begins with the whole register in memory: what another replica reads of it later is seen after a while.
        first_failure([pool.submit(self.start, place) for place in further])

    def start(self, place: Place) -> None:
        """Start one process and wait until it is ready.

        Raises:
            PartFailed: it does not become ready.
        """
        url = f"http://{LOOPBACK}:{place.port}"
        log = self._folder.logs / f"{place.part}.log"
        spec = ProcessSpec(
            name=place.part,
            command=self._options.command(place.service),
            log=log,
            environment=self._environment(place),
            folder=self._folder.path,
            ready=lambda: answers_ready(url),
            ready_within_s=self._options.ready_within_s,
            stage=SERVICES_STAGE,
            stop_within_s=30,
        )
        process = self._supervisor.start(spec)
        self._add(Part(name=place.part, kind="service", address=f"{LOOPBACK}:{place.port}", url=url, pid=process.pid, log=str(log)))

    def run(self, service: Service, name: str, *arguments: str) -> None:
        """Run a service's program with arguments to its end, as a part of that name.

        Raises:
            PartFailed: it fails.
        """
        place = Place(service, name, self._port_of(service.value))
        spec = ProcessSpec(
            name=name,
            command=[*self._options.command(service), *arguments],
            log=self._folder.logs / f"{name}.log",
            environment=self._environment(place),
            folder=self._folder.path,
            ready_within_s=self._options.ready_within_s,
        )
        self._supervisor.run(spec)

    def _environment(self, place: Place) -> dict[str, str]:
        surroundings = self._proxied if place.part in self._options.proxied else self._surroundings
        return service_environment(surroundings, place) | dict(self._options.environment.get(place.service, {}))


def through_proxies(surroundings: Surroundings, kafka: str, database_port: int) -> Surroundings:
    """The same surroundings by way of proxies: brokers at these addresses, the database at this port."""
    databases = {service: _at_port(url, database_port) for service, url in surroundings.databases.items()}
    return replace(surroundings, kafka=kafka, databases=databases)


def _at_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    user, _, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}@{LOOPBACK}:{port}"))


def first_failure(futures: Sequence["Future[Any]"]) -> None:
    """Wait for all; raise as soon as one fails."""
    for future in as_completed(futures):
        future.result()
