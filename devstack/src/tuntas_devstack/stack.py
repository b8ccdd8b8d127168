"""The whole platform on this machine, in one folder: started, watched, disturbed by drills and ended from here."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tuntas_chassis.clock import SimulatedClock
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.infrastructure import Infrastructure, Say
from tuntas_devstack.kafka.access import client_settings, users_of_services
from tuntas_devstack.kafka.agencies import agency_credentials
from tuntas_devstack.kafka.brokers import Brokers, broker_names
from tuntas_devstack.options import StackOptions
from tuntas_devstack.register_known import wait_until_known
from tuntas_devstack.service_environment import Place, Surroundings
from tuntas_devstack.service_parts import ServiceParts, first_failure, through_proxies
from tuntas_devstack.state import Part, StackState, bootstrap_of, read_databases, write_state
from tuntas_embedded.folder import DEFAULT_FOLDER, StackFolder
from tuntas_embedded.issuer import SigningKey
from tuntas_embedded.ports import LOOPBACK, demanded_port, free_port
from tuntas_embedded.postgres.data_dir import remove_data_dir
from tuntas_embedded.processes import Supervisor
from tuntas_embedded.tcp_proxy import TcpProxy
from tuntas_operations.credentials import Credentials
from tuntas_operations.errors import PartFailed, StackError
from tuntas_operations.service_modules import module_of
from tuntas_operations.topics import create_topics, register_codes, topics_for

_AROUND = ("postgres", "mail", "issuer", "prometheus")


class Stack:
    """One stack, started once. Not asynchronous: from a coroutine call its methods in a thread, and
    starts that may wait for each other through `in_thread`.

    `proxies` are those before brokers and database, by part, where `StackOptions.proxied` names services behind them.
    `say` is called with each step in a few words; `on_death(part, sentence)` for each part that ends unasked, from another thread.
    A `with` block starts it and ends it.
    """

    def __init__(
        self,
        folder: Path = DEFAULT_FOLDER,
        options: StackOptions | None = None,
        *,
        say: Say = lambda step: None,
        on_death: Callable[[str, str], None] = lambda part, sentence: None,
    ) -> None:
        self.folder = StackFolder(folder)
        self.options = options or StackOptions()
        self.deaths: list[str] = []
        self.proxies: dict[str, TcpProxy] = {}
        self._services: ServiceParts | None = None
        self._say = say
        self._report_death = on_death
        self._supervisor = Supervisor(self._died)
        self._state = StackState(phase="stopped", supervisor=os.getpid(), started_at="")
        self._state_lock = threading.Lock()
        self._ports: dict[str, int] = {}
        self._ports_lock = threading.Lock()
        self._clock: Path | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def state(self) -> StackState:
        """The present state of the stack: parts with address, pid, URL and log."""
        return self._state

    def start(self) -> StackState:
        """Start everything and return when all of it is ready; what was begun is ended again if something fails.

        Raises:
            StackError: with one sentence that says what can't be had.
        """
        self.folder.make()
        self.folder.hold()
        try:
            self._begin()
            with ThreadPoolExecutor(max_workers=8, thread_name_prefix="start") as pool:
                try:
                    self._start_all(pool)
                except BaseException:
                    self._supervisor.stop_all()  # first, so that the threads still waiting for readiness give up
                    raise
        except BaseException:
            self.stop()
            raise
        around = [*broker_names(self.options.brokers), *_AROUND]
        order = [*around, *(part for service in self.options.services for part in self.options.part_names(service))]
        self._change(lambda state: replace(state, phase="ready", parts=tuple(sorted(state.parts, key=lambda part: order.index(part.name)))))
        return self._state

    def _begin(self) -> None:
        agencies = tuple(register_codes() if self.options.agencies is None else self.options.agencies)
        if self.options.simulated_clock:
            self._clock = self.folder.clock
            if not self._clock.exists():
                SimulatedClock.create(self._clock)
        began = datetime.now(UTC).isoformat(timespec="seconds")
        clock = None if self._clock is None else str(self._clock)
        self._change(
            lambda state: replace(
                state,
                phase="starting",
                started_at=began,
                mail_file=str(self.folder.mail),
                simulated_clock=clock,
                agencies=agencies,
            )
        )

    def _start_all(self, pool: ThreadPoolExecutor) -> None:
        around = Infrastructure(self.folder, self._supervisor, self._port_of, self._say)
        self._say("starting Kafka, PostgreSQL, mail sink and token issuer")
        issuer, mail = pool.submit(around.start_issuer), pool.submit(around.start_mail)
        postgres = pool.submit(around.start_postgres, self.options.database)
        kafka = pool.submit(self._start_brokers_with_platform_topics, around)
        watched = [(service, part) for service in self.options.services for part in self.options.part_names(service)]
        observing = [pool.submit(around.start_prometheus, watched)] if self.options.observe else []
        first_failure([issuer, mail, postgres, kafka, *observing])
        issuer_part, client_secrets = issuer.result()
        postgres_part, databases = postgres.result()
        for part in (*kafka.result(), postgres_part, mail.result(), issuer_part, *(future.result() for future in observing)):
            self._add(part)
        issuer_url = issuer_part.url or ""
        self._change(lambda state: replace(state, kafka=bootstrap_of(kafka.result()), issuer=issuer_url))
        if self.options.proxied:
            self._add_proxy("postgres", postgres_part.address)
        all_topics = pool.submit(create_topics, self._state.kafka, topics_for(self._state.agencies), client=client_settings(self.folder))
        surroundings = self._surroundings(databases, client_secrets)
        self._services = ServiceParts(
            self.folder, self.options, self._supervisor, surroundings, self._behind_proxies(surroundings), self._port_of, self._add
        )
        if watched:
            self._say("starting " + ", ".join(part for _, part in watched))
        self._services.start_all(pool, all_topics, lambda: self._load_register(databases))

    def _start_brokers_with_platform_topics(self, around: Infrastructure) -> list[Part]:
        names = broker_names(self.options.brokers) if self.options.proxied and self.options.kafka is None else []
        for name in names:
            self._add_proxy(name, f"{LOOPBACK}:{self._port_of(f'{name}-proxied')}")
        proxies = {name: self.proxies[name].port for name in names}
        brokers = Brokers(self.folder, self.options.brokers, self._port_of, proxies, self.options.broker_environment)
        parts = around.start_kafka(self.options.kafka, brokers)
        self._say(f"Kafka is ready; {len(topics_for(self._state.agencies))} topics")
        around.provide_kafka_users(parts, self._state.agencies)
        create_topics(bootstrap_of(parts), topics_for(()), client=client_settings(self.folder))
        return parts

    def _surroundings(self, databases: dict[Service, str], client_secrets: dict[Service, str]) -> Surroundings:
        return Surroundings(
            kafka=self._state.kafka,
            databases=databases,
            issuer=self._state.issuer,
            client_secrets=client_secrets,
            encryption_key=self.folder.secret("encryption-key", "key"),
            access_code_pepper=self.folder.secret("access-code-pepper", "key"),
            name_keys=self.folder.secret("name-keys", "key"),
            smtp_port=int(self._state.part("mail").address.rpartition(":")[2]),
            intake_url=f"http://{LOOPBACK}:{self._port_of(Service.INTAKE.value)}",
            simulated_clock=self._clock,
            traces=self.folder.traces,
            trace_ratio=self.options.trace_ratio,
            log_level=self.options.log_level,
            kafka_users=users_of_services(self.folder),
        )

    def _behind_proxies(self, surroundings: Surroundings) -> Surroundings:
        if not self.options.proxied:
            return surroundings
        kafka = ",".join(f"{LOOPBACK}:{proxy.port}" for name, proxy in self.proxies.items() if name != "postgres")
        return through_proxies(surroundings, kafka or surroundings.kafka, self.proxies["postgres"].port)

    def _add_proxy(self, part: str, target: str) -> None:
        proxy = TcpProxy(self._port_of(f"{part}-proxy"), int(target.rpartition(":")[2]))
        proxy.start()
        self.proxies[part] = proxy

    def _load_register(self, databases: dict[Service, str]) -> None:
        services = self.options.services
        if not self.options.load_register or Service.DISPATCH not in services:
            return
        self._say("loading the agency register")
        self._running_services().run(Service.DISPATCH, "load-register", "load-register")
        # another program in a service's place need not keep a register
        keepers = {module_of(service): databases[service] for service in services if service not in self.options.commands}
        if module_of(Service.DISPATCH) in keepers:
            wait_until_known(keepers, self.options.ready_within_s)

    def _running_services(self) -> ServiceParts:
        if self._services is None:
            raise StackError("the stack was not started: start it first")
        return self._services

    def add_replica(self, service: Service) -> str:
        """Start one more process of a service beside those that run; gives its part's name.

        Raises:
            StackError: it does not become ready, or the stack was not started.
        """
        known = {part.name for part in self._state.parts}
        name = next(name for number in range(2, 100) if (name := f"{service.value}-{number}") not in known)
        self._running_services().start(Place(service, name, self._port_of(name)))
        return name

    def forget(self, part: str) -> None:
        """Take a part that has ended out of the stack's description."""
        self._change(lambda state: replace(state, parts=tuple(known for known in state.parts if known.name != part)))

    def freeze(self, part: str) -> None:
        """Stop a part with all that it started, as a machine that hangs: it answers nothing, and its connections stay (SIGSTOP)."""
        self._supervisor.process(part).signal_family(signal.SIGSTOP)

    def thaw(self, part: str) -> None:
        """Let a frozen part go on."""
        self._supervisor.process(part).signal_family(signal.SIGCONT)

    def stop(self) -> None:
        """End everything: services first, then what is around them. Can be called again."""
        for proxy in self.proxies.values():
            proxy.release()
        self._supervisor.stop_all()
        for proxy in self.proxies.values():
            proxy.stop()
        if self._state.phase != "stopped":
            self._change(lambda state: replace(state, phase="stopped", parts=()))
        self.folder.let_go()
        self._ended.set()

    def kill(self, part: str) -> None:
        """`kill -9` a part and everything that it started; it is not restarted, and its death is not reported."""
        self._supervisor.kill(part)

    def stop_part(self, part: str) -> None:
        """End one part gracefully."""
        self._supervisor.stop(part)

    def restart(self, part: str) -> None:
        """Start a part again at the same address with the same data, ending it first if it runs; returns when ready.

        Raises:
            PartFailed: it does not come back.
        """
        process = self._supervisor.restart(part)
        self._add(replace(self._state.part(part), pid=process.pid))

    def wait(self, within_s: float | None = None) -> bool:
        """Wait until `stop` was called; False if that takes longer."""
        return self._ended.wait(within_s)

    def database_url(self, name: str) -> str:
        """The URL of a service's database by module name, or of the server's own (`admin`)."""
        return read_databases(self.folder)[name]

    def kafka_client(self) -> dict[str, str]:
        """What a client of `confluent_kafka` needs to connect as the operator, who may do everything; empty on an unsecured broker."""
        return client_settings(self.folder)

    def agency_client(self, code: str) -> Credentials | None:
        """By which user an agency's own system connects; None on an unsecured broker.

        Raises:
            StackError: the stack has no such agency.
        """
        return agency_credentials(self.folder, self._state, code)

    def signing_key(self) -> SigningKey:
        """The issuer's key, to mint tokens in this process with `mint_token`."""
        return SigningKey.of_file(self.folder.path / "issuer" / "signing-key.pem", self._state.issuer)

    def delete_data(self) -> None:
        """Delete the database's files, which may lie outside of the folder. Only after `stop`; the folder itself stays."""
        if self._state.phase != "stopped":
            raise PartFailed("postgres", "the stack still runs: stop it before its data are deleted")
        with self.folder.held():
            remove_data_dir(self.folder)

    def _port_of(self, part: str) -> int:
        with self._ports_lock:
            if part not in self._ports:
                kept = self.folder.recall("ports") or {}
                asked = self.options.ports.get(part)
                port = free_port(kept.get(part)) if asked is None else demanded_port(part, asked)
                self._ports[part] = port
                self.folder.remember("ports", kept | {part: port})
            return self._ports[part]

    def _add(self, part: Part) -> None:
        self._change(lambda state: state.with_part(part))

    def _change(self, change: Callable[[StackState], StackState]) -> None:
        with self._state_lock:
            self._state = change(self._state)
            write_state(self.folder, self._state)

    def _died(self, part: str, sentence: str) -> None:
        self.deaths.append(sentence)
        self._report_death(part, sentence)
