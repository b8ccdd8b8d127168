"""The parts around the services: broker, database, mail sink, token issuer. Each is started by one function."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.kafka.access import OPERATOR, client_settings, given_credentials, read_users, write_users
from tuntas_devstack.kafka.agencies import AGENCIES_KEY
from tuntas_devstack.kafka.brokers import Brokers
from tuntas_devstack.state import Part, bootstrap_of, write_databases
from tuntas_embedded.folder import StackFolder
from tuntas_embedded.issuer.clients import make_clients, write_clients
from tuntas_embedded.ports import LOOPBACK, accepts, answers_ready
from tuntas_embedded.postgres import PostgresServer, provide_databases
from tuntas_embedded.processes import ProcessSpec, Supervisor
from tuntas_embedded.prometheus.server import PrometheusServer, Target
from tuntas_operations.broker_users import provide_passwords, provide_rights
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import Unreachable
from tuntas_operations.kafka_clients import server_answers
from tuntas_operations.rights import agency_users, platform_users
from tuntas_operations.service_modules import module_of

_EXTERNAL_WITHIN_S = 15.0

Say = Callable[[str], None]
PortOf = Callable[[str], int]


class Infrastructure:
    """Starts the surrounding parts of one stack under its supervisor; `port_of(name)` chooses a part's port."""

    def __init__(self, folder: StackFolder, supervisor: Supervisor, port_of: PortOf, say: Say) -> None:
        self._folder = folder
        self._supervisor = supervisor
        self._port_of = port_of
        self._say = say

    def start_kafka(self, external: str | None, brokers: Brokers) -> list[Part]:
        """Kafka, our own brokers or the one that runs already, whose part's address are the bootstrap servers.

        Ours let only their operator in, until `provide_kafka_users`. The other is as it is: of its users we know at most the
        one that we are given, and everyone here connects as that one.

        Raises:
            StackError: it can't be had.
        """
        if external is not None:
            given = given_credentials()
            write_users(self._folder, {} if given is None else dict.fromkeys((OPERATOR, *Service), given))
            deadline = time.monotonic() + _EXTERNAL_WITHIN_S
            while not server_answers(external, within_s=3, client=client_settings(self._folder)):
                if time.monotonic() > deadline:
                    who = "" if given is None else f" that lets {given.username} in"
                    raise Unreachable(f"no Kafka broker answers at {external}{who}: look at TUNTAS_KAFKA{' and its user' if given else ''}")
            return [Part(name="kafka", kind="kafka", address=external)]
        names = (OPERATOR, *(user.name for user in platform_users()))
        write_users(self._folder, {name: Credentials(name, self._folder.secret(f"kafka-{name}")) for name in names})
        return brokers.start(self._supervisor, lambda count: self._say(f"fetching Apache Kafka ({count} files, once)"))

    def provide_kafka_users(self, brokers: Sequence[Part], agencies: Iterable[str]) -> None:
        """Give the platform's users their passwords, and them and the agencies' users their rights; nothing to do elsewhere.

        Agencies' passwords are made when somebody asks for them: for the whole register they would cost seconds of processor
        time at every start, and hardly any is ever used.
        """
        if brokers[0].pid is not None:
            addresses = bootstrap_of(brokers)
            self._folder.secret(AGENCIES_KEY, "key")
            users = read_users(self._folder)
            operator = users.pop(OPERATOR)
            provide_passwords(addresses, operator, users.values())
            provide_rights(addresses, operator, [*platform_users(), *agency_users(agencies)])

    def start_postgres(self, external: str | None) -> tuple[Part, dict[Service, str]]:
        """PostgreSQL with a role and a database for every service; gives also their URLs.

        Raises:
            StackError: it can't be had.
        """
        passwords = {module_of(service): self._folder.secret(f"database-{service}") for service in Service}
        if external is not None:
            parts = urlsplit(external)
            admin_url = external
            part = Part(name="postgres", kind="postgres", address=f"{parts.hostname}:{parts.port or 5432}")
        else:
            log = self._log("postgres")
            server = PostgresServer(self._folder, self._port_of("postgres"), log)
            process = self._supervisor.start(server.prepare())
            admin_url = server.admin_url
            part = Part(name="postgres", kind="postgres", address=server.address, pid=process.pid, log=str(log))
        urls = provide_databases(admin_url, passwords)
        write_databases(self._folder, {"admin": admin_url, **urls})
        return part, {service: urls[module_of(service)] for service in Service}

    def start_mail(self) -> Part:
        """The SMTP sink; mails go to `mail.jsonl`, orders to fail are read from `mail-faults.json`."""
        port = self._port_of("mail")
        faults = self._folder.path / "mail-faults.json"
        arguments = ["--port", str(port), "--file", str(self._folder.mail), "--faults", str(faults)]
        return self._start_module("mail", "tuntas_embedded.smtp_sink", arguments, port, lambda: accepts(port))

    def start_issuer(self) -> tuple[Part, dict[Service, str]]:
        """The token issuer with its table of clients; gives also the services' client secrets."""
        home = self._folder.path / "issuer"
        home.mkdir(mode=0o700, exist_ok=True)
        clients = make_clients(lambda client_id: self._folder.secret(f"client-{client_id}"))
        write_clients(home / "clients.json", clients)
        port = self._port_of("issuer")
        url = f"http://{LOOPBACK}:{port}"
        arguments = ["--port", str(port), "--folder", str(home)]
        part = self._start_module("issuer", "tuntas_embedded.issuer", arguments, port, lambda: answers_ready(url), url=url)
        return part, {service: clients[service.value].secret for service in Service}

    def start_prometheus(self, parts: Iterable[tuple[Service, str]]) -> Part:
        """Prometheus, which scrapes these parts of services at the ports chosen for them.

        Raises:
            StackError: it can't be had.
        """
        log = self._log("prometheus")
        server = PrometheusServer(self._folder.path / "prometheus", self._port_of("prometheus"), log)
        targets = [Target(service.value, part, f"{LOOPBACK}:{self._port_of(part)}") for service, part in parts]
        process = self._supervisor.start(server.prepare(targets))
        return Part(name="prometheus", kind="prometheus", address=server.address, url=server.url, pid=process.pid, log=str(log))

    def _start_module(
        self,
        name: Literal["mail", "issuer"],
        module: str,
        arguments: Iterable[str],
        port: int,
        ready: Callable[[], bool],
        *,
        url: str | None = None,
    ) -> Part:
        log = self._log(name)
        spec = ProcessSpec(
            name=name,
            command=[sys.executable, "-m", module, *arguments],
            log=log,
            environment={**os.environ, "PYTHONUNBUFFERED": "1"},
            folder=self._folder.path,
            ready=ready,
            stop_within_s=10,
        )
        process = self._supervisor.start(spec)
        address = f"{LOOPBACK}:{port}"
        return Part(name=name, kind=name, address=address, url=url, pid=process.pid, log=str(log))

    def _log(self, name: str) -> Path:
        return self._folder.logs / f"{name}.log"
