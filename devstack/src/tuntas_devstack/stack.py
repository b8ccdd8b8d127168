"""The whole platform on this machine, in one folder: started, watched, drilled and ended from here."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tuntas_chassis.clock import SimulatedClock
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.errors import PartFailed
from tuntas_devstack.folder import DEFAULT_FOLDER, StackFolder
from tuntas_devstack.infrastructure import Infrastructure, Say
from tuntas_devstack.issuer import SigningKey
from tuntas_devstack.kafka.access import Credentials, client_settings, users_of_services
from tuntas_devstack.kafka.agencies import agency_credentials
from tuntas_devstack.options import StackOptions, module_of
from tuntas_devstack.ports import LOOPBACK, demanded_port, free_port
from tuntas_devstack.postgres.home import remove_home
from tuntas_devstack.processes import ProcessSpec, Supervisor
from tuntas_devstack.register_known import wait_until_known
from tuntas_devstack.service_environment import Place, Surroundings, service_environment
from tuntas_devstack.state import Part, StackState, answers_ready, read_databases, write_state
from tuntas_devstack.topics import create_topics, register_codes, topics_for

_SERVICES_STAGE = 1
_AROUND = ("kafka", "postgres", "mail", "issuer", "prometheus")


class Stack:
    """One stack, started once. Not asynchronous: from a coroutine call its methods through `asyncio.to_thread`.

    `say` is told each step in a few words; `on_death(part, sentence)` each part that ends unasked, from another thread.
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
        self._say = say
        self._tell_death = on_death
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
        """The stack as it stands: parts with address, pid, URL and log."""
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
        order = [*_AROUND, *(part for service in self.options.services for part in self.options.part_names(service))]
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
        kafka = pool.submit(self._start_broker_with_platform_topics, around)
        watched = [(service, part) for service in self.options.services for part in self.options.part_names(service)]
        observing = [pool.submit(around.start_prometheus, watched)] if self.options.observe else []
        _first_failure([issuer, mail, postgres, kafka, *observing])
        issuer_part, client_secrets = issuer.result()
        postgres_part, databases = postgres.result()
        for part in (kafka.result(), postgres_part, mail.result(), issuer_part, *(future.result() for future in observing)):
            self._add(part)
        issuer_url = issuer_part.url or ""
        self._change(lambda state: replace(state, kafka=state.part("kafka").address, issuer=issuer_url))
        all_topics = pool.submit(create_topics, self._state.kafka, topics_for(self._state.agencies), client=client_settings(self.folder))
        self._start_services(pool, databases, client_secrets, all_topics)

    def _start_broker_with_platform_topics(self, around: Infrastructure) -> Part:
        part = around.start_kafka(self.options.kafka)
        self._say(f"Kafka is ready; {len(topics_for(self._state.agencies))} topics")
        around.provide_kafka_users(part, self._state.agencies)
        create_topics(part.address, topics_for(()), client=client_settings(self.folder))
        return part

    def _start_services(
        self, pool: ThreadPoolExecutor, databases: dict[Service, str], client_secrets: dict[Service, str], all_topics: "Future[int]"
    ) -> None:
        services = self.options.services
        surroundings = Surroundings(
            kafka=self._state.kafka,
            databases=databases,
            issuer=self._state.issuer,
            client_secrets=client_secrets,
            encryption_key=self.folder.secret("encryption-key", "key"),
            access_code_pepper=self.folder.secret("access-code-pepper", "key"),
            smtp_port=int(self._state.part("mail").address.rpartition(":")[2]),
            intake_url=f"http://{LOOPBACK}:{self._port_of(Service.INTAKE.value)}",
            simulated_clock=self._clock,
            traces=self.folder.traces,
            trace_ratio=self.options.trace_ratio,
            log_level=self.options.log_level,
            kafka_users=users_of_services(self.folder),
        )
        places = [Place(service, part, self._port_of(part)) for service in services for part in self.options.part_names(service)]
        if places:
            self._say("starting " + ", ".join(place.part for place in places))
        # The first of each service migrates its database; further replicas find it done.
        first = [place for place in places if place.part == place.service.value]
        further = [place for place in places if place not in first]
        # Only dispatch reads agencies' topics: the others start while the broker is busy making them.
        early = [place for place in first if place.service is not Service.DISPATCH]
        starting = [pool.submit(self._start_service, surroundings, place) for place in early]
        _first_failure([all_topics])
        starting += [pool.submit(self._start_service, surroundings, place) for place in first if place not in early]
        _first_failure(starting)
        if self.options.load_register and Service.DISPATCH in services:
            self._say("loading the agency register")
            self._supervisor.run(self._register_spec(surroundings))
            # another program in a service's place need not keep a register
            keepers = {module_of(service): databases[service] for service in services if service not in self.options.commands}
            if module_of(Service.DISPATCH) in keepers:
                wait_until_known(keepers, self.options.ready_within_s)
        # Last, so that each begins with the whole register in memory: what another replica reads of it later is seen after a while.
        _first_failure([pool.submit(self._start_service, surroundings, place) for place in further])

    def _start_service(self, surroundings: Surroundings, place: Place) -> None:
        url = f"http://{LOOPBACK}:{place.port}"
        log = self.folder.logs / f"{place.part}.log"
        extra = self.options.environment.get(place.service, {})
        spec = ProcessSpec(
            name=place.part,
            command=self.options.command(place.service),
            log=log,
            environment=service_environment(surroundings, place) | dict(extra),
            folder=self.folder.path,
            ready=lambda: answers_ready(url),
            ready_within_s=self.options.ready_within_s,
            stage=_SERVICES_STAGE,
            stop_within_s=30,
        )
        process = self._supervisor.start(spec)
        address = f"{LOOPBACK}:{place.port}"
        self._add(Part(name=place.part, kind="service", address=address, url=url, pid=process.pid, log=str(log)))

    def _register_spec(self, surroundings: Surroundings) -> ProcessSpec:
        place = Place(Service.DISPATCH, "load-register", self._port_of(Service.DISPATCH.value))
        extra = self.options.environment.get(Service.DISPATCH, {})
        return ProcessSpec(
            name=place.part,
            command=[*self.options.command(Service.DISPATCH), "load-register"],
            log=self.folder.logs / f"{place.part}.log",
            environment=service_environment(surroundings, place) | dict(extra),
            folder=self.folder.path,
            ready_within_s=self.options.ready_within_s,
        )

    def stop(self) -> None:
        """End everything: services first, then what is around them. Can be called again."""
        self._supervisor.stop_all()
        if self._state.phase != "stopped":
            self._change(lambda state: replace(state, phase="stopped", parts=()))
        self.folder.let_go()
        self._ended.set()

    def kill(self, part: str) -> None:
        """`kill -9` a part and everything that it started; it is not restarted, and its death is not told."""
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
            remove_home(self.folder)

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
        self._tell_death(part, sentence)


def _first_failure(futures: Sequence[Future[Any]]) -> None:
    """Wait for all; raise as soon as one fails."""
    for future in as_completed(futures):
        future.result()
