"""What can be chosen about a stack."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuntas_contracts.vocabulary import Service
from tuntas_operations.service_modules import module_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """Everything has a default that gives the whole platform.

    `agencies` are the codes that get topics: the whole register by default. `replicas` counts the processes of a service (1
    where it is not named). `environment` adds variables to a service's; `commands` puts another command line in the place of
    `python -m <module>`. `ports` fixes a part's port, by the part's name. `kafka` (bootstrap servers) and `database` (URL of a
    role that may create roles and databases) name servers that already run. `brokers` is how many brokers of our own run: of
    three every topic has three replicas, two of which must have a record. `broker_environment` adds variables to single ones.
    `proxied` are the parts of services that reach brokers and database through `Stack.proxies`, to be cut off. `trace_ratio` is
    the share of reports that are traced. `load_register` runs dispatch's `load-register` once it is ready. `observe` runs
    Prometheus beside the services.
    """

    agencies: Sequence[str] | None = None
    services: Sequence[Service] = tuple(Service)
    replicas: Mapping[Service, int] = field(default_factory=dict)
    environment: Mapping[Service, Mapping[str, str]] = field(default_factory=dict)
    commands: Mapping[Service, Sequence[str]] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    simulated_clock: bool = False
    trace_ratio: float = 0.01
    log_level: str = "info"
    load_register: bool = True
    observe: bool = False
    ready_within_s: float = 90.0
    brokers: int = 1
    broker_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    proxied: Sequence[str] = ()
    kafka: str | None = field(default_factory=lambda: os.environ.get("TUNTAS_KAFKA") or None)
    database: str | None = field(default_factory=lambda: os.environ.get("TUNTAS_DATABASE") or None)

    def command(self, service: Service) -> list[str]:
        """The command line of a service, without arguments."""
        return list(self.commands.get(service, (sys.executable, "-m", module_of(service))))

    def part_names(self, service: Service) -> list[str]:
        """The names of a service's parts: its own, then `<name>-2` and so on for further replicas."""
        count = self.replicas.get(service, 1)
        return [service.value, *(f"{service.value}-{number}" for number in range(2, count + 1))]
