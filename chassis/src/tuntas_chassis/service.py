"""A service: its wiring, its start and its end."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.types import ASGIApp

from tuntas_chassis.clock import Clock, SimulatedClock, SystemClock
from tuntas_chassis.http.auth import TokenVerifier
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.http.guard import CLOSED_BECAUSE
from tuntas_chassis.http.hot_routes import HotRoutes
from tuntas_chassis.http.middleware import RequestMiddleware
from tuntas_chassis.http.operations import dead_letter_routes, health_routes
from tuntas_chassis.http.problems import install_problems
from tuntas_chassis.http.server import HttpServer, service_config
from tuntas_chassis.ids import new_id
from tuntas_chassis.jobs import BackgroundLoops, Loop, Work
from tuntas_chassis.messaging.batch import BatchWorker
from tuntas_chassis.messaging.consumer import BatchConsumer
from tuntas_chassis.messaging.delivery_tables import DeliveryTables, PostgresTables
from tuntas_chassis.messaging.kafka import make_producer
from tuntas_chassis.messaging.maintenance import PURGE_EVERY_S, Maintenance
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.read_progress import DelayingConsumer
from tuntas_chassis.messaging.relay import Relay
from tuntas_chassis.messaging.subscription import Store, Subscription
from tuntas_chassis.messaging.watermarks import WatermarkPublisher, WatermarkScope
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.database_retry import DatabaseUnavailable
from tuntas_chassis.persistence.migrations import head_revision, is_served_by, upgrade
from tuntas_chassis.settings import ServiceSettings, load_settings
from tuntas_chassis.telemetry.logs import logger, setup_logs
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, Metric, MetricSet
from tuntas_chassis.telemetry.tracing import Tracing
from tuntas_chassis.waiting import set_within

S = TypeVar("S")
ST = TypeVar("ST", bound=ServiceSettings)
_LOOK_ROUND_S = 3.0
_LOOK_FOR_DATABASE_S = 1.0
_COLLECT_AFTER = 50_000  # new objects: more than a batch makes; by default a batch would set off dozens of collections
_log = logger(__name__)


class _Http(FastAPI):
    """An application whose whole stack of layers is surrounded by further ones."""

    def __init__(self, surround: Callable[[ASGIApp], ASGIApp], **options: Any) -> None:
        super().__init__(**options)
        self._surround = surround

    def build_middleware_stack(self) -> ASGIApp:
        return self._surround(super().build_middleware_stack())


class ServiceApp:
    """One service of the platform. `build` in its `app.py` fills it; `serve` runs it until SIGTERM or SIGINT."""

    def __init__(
        self,
        service: str,
        settings: ServiceSettings,
        *,
        package: str,
        metrics: Sequence[Metric] = (),
        watermarks: WatermarkScope | None = None,
    ) -> None:
        """`package` holds the migrations; `watermarks` says what this service publishes watermarks of, if any."""
        self.service = str(service)
        self.settings = settings
        self.package = package
        self.member = f"{self.service}-{new_id()}"
        self.clock: Clock = SimulatedClock(settings.simulated_clock) if settings.simulated_clock else SystemClock()
        self.metrics = MetricSet((*CHASSIS_METRICS, *metrics))
        self.tracing = Tracing(self.service, settings)
        self.database = Database(settings, self.service)
        self.tables: DeliveryTables = PostgresTables(self.database)
        self.tokens = TokenVerifier(settings.oidc_issuer, settings.oidc_audience)
        self.watermarks = watermarks
        self.leaves_after_s = 15.0  # without an answer of the database; a restart of it is over by then
        self._relay: Relay | None = None
        self.outbox = Outbox(settings.outbox_shards, self._wake_relay, self._relay_is_elsewhere)
        self.workers: dict[str, BatchWorker[Any]] = {}
        self._consumers: dict[str, BatchConsumer] = {}
        self._loops: dict[str, tuple[Loop, Sequence[str]]] = {}
        self._starters: list[tuple[str, Callable[[], Awaitable[object]]]] = []
        self._stopping = asyncio.Event()
        self._started = False
        self._maintenance = Maintenance(self.database, settings, self.metrics)
        self._background = BackgroundLoops(self.metrics)
        self.every("inbox-purge", PURGE_EVERY_S, self._maintenance.purge_inbox)
        self.http = self._make_http()

    def _make_http(self) -> FastAPI:
        app = _Http(self._surrounded, title=f"Tuntas {self.service}", version="1", docs_url="/docs", redoc_url=None)
        app.state.tokens = self.tokens
        install_problems(app)
        app.include_router(health_routes(self._alive, self.unready, self.metrics.registry, self._report))
        app.include_router(dead_letter_routes(DeadLetterQueue(self.tables, self.outbox, self.workers), self.resume_halted))
        return app

    def _surrounded(self, app: ASGIApp) -> ASGIApp:
        return RequestMiddleware(
            HotRoutes(app, self.http.router.routes),
            metrics=self.metrics,
            tracing=self.tracing,
            max_body_bytes=self.settings.max_body_bytes,
            slow_s=self.settings.trace_slow_s,
            max_requests=self.settings.http_max_requests,
        )

    # -- wiring -----------------------------------------------------------------------------------------------------

    def executor(self, store: Store[S]) -> CommandExecutor[S]:
        """Carries out commands on the states of `store`."""
        return CommandExecutor(store, self.tables, self.outbox, self.clock, self.caught_up)

    def subscribe(self, subscription: Subscription[Any]) -> None:
        """Read topics, from the service's start to its end."""
        worker = BatchWorker(subscription, self.service, self.tables, self.outbox, self.clock, self.tracing, self.metrics)
        self.workers[worker.consumer] = worker
        self._consumers[subscription.name] = BatchConsumer(worker, self.settings, self.tables, self.clock, self.metrics)

    def background(self, name: str, loop: Loop, *, after: Sequence[str] = ()) -> None:
        """Run `loop` until its event is set; one that raises is started again with backoff (see `jobs`).

        It begins when the subscriptions in `after` have read what was on their topics at the start.
        """
        self._loops[name] = (loop, after)
        self._background.declare(name)

    def every(self, name: str, interval_s: float, work: Work, *, after: Sequence[str] = ()) -> None:
        """Do `work` at the start and then every `interval_s` seconds, with the same policy for errors as `background`."""
        self.background(name, self._background.periodic(name, interval_s, work), after=after)

    def on_start(self, name: str, starter: Callable[[], Awaitable[object]]) -> None:
        """Do this after migrations and before anything is read or the service is ready; tried again until it succeeds."""
        self._starters.append((name, starter))

    # -- what others ask --------------------------------------------------------------------------------------------

    def _wake_relay(self) -> None:
        if self._relay is not None:
            self._relay.wake()

    def _relay_is_elsewhere(self) -> bool:
        return self._relay is None or not self._relay.owns_all

    def _alive(self) -> str | None:
        # a broker or database that is away is no reason to restart: only a loop that makes no progress is
        for consumer in self._consumers.values():
            if monotonic() - consumer.progress_at > 3600 and consumer.lag() > 0:
                return f"consumer {consumer.name} has made no progress for an hour"
        return None

    async def unready(self) -> dict[str, str]:
        """Why the service can't serve now, by part; nothing where it can."""
        if self._stopping.is_set():
            return {"stopping": "the service is shutting down"}
        reasons = await self._maintenance.database_faults(self.package)
        if not self._started and not reasons:
            reasons["starting"] = "the service is starting"
        for consumer in self._consumers.values():
            if consumer.subscription.gates_readiness and not consumer.caught_up:
                reasons[f"consumer {consumer.name}"] = "is still reading what was on its topics at the start"
        return reasons

    def caught_up(self) -> bool:
        """Whether the database is sure to know all that this service did before; until then nothing is to be changed over HTTP."""
        return all(c.caught_up for c in self._consumers.values() if c.subscription.gates_readiness)

    def _connection_closed(self, reason: str) -> None:
        self.metrics.inc("tuntas_http_connections_closed_total", reason)

    async def _report(self) -> None:
        for consumer in self._consumers.values():
            consumer.report()
        self.metrics.set("tuntas_service_ready", 0 if await self.unready() else 1)
        await self._maintenance.report(self.workers)

    async def resume_halted(self) -> int:
        """Resume every halted partition of this process; returns how many."""
        return sum([await consumer.resume_halted() for consumer in self._consumers.values()])

    def _watermark_publisher(self) -> WatermarkPublisher | None:
        if self.watermarks is None:
            return None
        delaying = [
            DelayingConsumer(name, worker.subscription.topics, worker.subscription.pattern)
            for name, worker in self.workers.items()
            if worker.subscription.delays_watermarks
        ]
        return WatermarkPublisher(
            self.watermarks, delaying, self.database, self.settings, self.service, self.clock, self.metrics, self._wake_relay
        )

    # -- running ----------------------------------------------------------------------------------------------------

    async def migrate(self) -> None:
        """Bring the database to this code's schema; raises DatabaseUnavailable where it does not answer for a minute."""
        await upgrade(self.package, self.settings.sqlalchemy_url)

    async def serve(self) -> None:
        """Run until stopped; then drain and end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        for reason in CLOSED_BECAUSE:  # a counter that begins with its first event hides that one
            self.metrics.inc("tuntas_http_connections_closed_total", reason, by=0)
        server = HttpServer(service_config(self.http, self.settings, self._connection_closed))
        serving = asyncio.create_task(server.serve())
        core = asyncio.create_task(self.run_delivery())
        await asyncio.wait({serving, core, asyncio.create_task(self._stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        server.end()
        _log.info("stopping")
        try:
            async with asyncio.timeout(self.settings.drain_timeout_s + 5):
                await serving
                await core
        except TimeoutError:
            _log.warning("drain_timed_out", after_s=self.settings.drain_timeout_s + 5)
        self.tracing.close()
        await self.database.close()
        _log.info("stopped")

    def stop(self) -> None:
        """Drain and end what runs."""
        self._stopping.set()

    async def disconnect(self) -> None:
        """Drop every connection without closing it cleanly, as the end of the process would; for tests of crashes."""
        for consumer in self._consumers.values():
            await consumer.disconnect()
        await self.database.close()

    async def run_delivery(self) -> None:
        """Everything but HTTP, until stopped: schema, starters, relay, background loops, consumers."""
        if self.settings.migrate_on_start:
            await self._until_done("migrate", partial(upgrade, self.package, self.settings.sqlalchemy_url, timeout_s=0, lock_timeout_s=0))
        await self._until_done("schema", self._schema_is_current)
        for name, starter in self._starters:
            await self._until_done(name, starter)
        watermarks = self._watermark_publisher()
        self._relay = Relay(
            self.database,
            lambda: make_producer(self.settings, self.member),
            self.settings,
            self.service,
            self.metrics,
            self.tracing,
            round_done=watermarks.round_done if watermarks else None,
        )
        relaying_stops = asyncio.Event()
        relaying = asyncio.create_task(self._relay.run(relaying_stops))
        tasks = [asyncio.create_task(self._keep_running(name, loop, after)) for name, (loop, after) in self._loops.items()]
        if watermarks is not None:
            tasks.append(asyncio.create_task(watermarks.run(self._stopping)))
        tasks.extend(asyncio.create_task(self._read(consumer)) for consumer in self._consumers.values())
        self._started = True
        _log.info("started", port=self.settings.http_port)
        failed = asyncio.create_task(_first_failure([*tasks, relaying]))
        try:
            await asyncio.wait({failed, asyncio.create_task(self._stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
            self._stopping.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            relaying_stops.set()
            await asyncio.gather(relaying, return_exceptions=True)
            if failed.done():
                failed.result()
        finally:
            for task in (*tasks, relaying, failed):  # all are done, unless this is cancelled
                task.cancel()

    async def _schema_is_current(self) -> None:
        found = await self._maintenance.revision()
        if not is_served_by(self.package, found):
            needed = head_revision(self.package)
            raise SchemaMismatch(f"the database is at migration {found}, this code needs {needed}: run `python -m {self.package} migrate`")

    async def _until_done(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        delay = 0.25
        while not self._stopping.is_set():
            try:
                await work()
            except Exception as error:
                _log.warning("start_waits", step=name, error=type(error).__name__, detail=str(error)[:300])
                await set_within(self._stopping, delay)
                delay = min(delay * 2, 10.0)
            else:
                return

    async def _until_read(self, subscriptions: Sequence[str]) -> None:
        while not self._stopping.is_set() and not all(self._consumers[name].caught_up for name in subscriptions):
            await set_within(self._stopping, 0.05)

    async def _keep_running(self, name: str, loop: Loop, after: Sequence[str]) -> None:
        await self._until_read(after)
        await self._background.keep_running(name, loop, self._stopping)

    async def _read(self, consumer: BatchConsumer) -> None:
        await self._until_read(consumer.subscription.after)
        if consumer.subscription.before_start is not None:
            await self._until_done(f"before consumer {consumer.name}", consumer.subscription.before_start)
        await self._until_done(f"consumer {consumer.name}", consumer.start)
        while not self._stopping.is_set():
            with contextlib.suppress(Exception):  # the next round looks again
                await self._maintenance.database_faults(self.package)
                await consumer.look_round()
            if self._maintenance.database_silent_s() > self.leaves_after_s:
                await self._leave_until_database_answers(consumer)
            if consumer.is_stalled():
                self.metrics.inc("tuntas_background_restarts_total", f"consumer {consumer.name}")
                _log.error("consumer_restarted", consumer=consumer.consumer_name, why="no progress, a broken client or lost positions")
                await self._until_done(f"consumer {consumer.name}", consumer.restart)
            await set_within(self._stopping, _LOOK_ROUND_S if consumer.caught_up and not consumer.holds else 0.2)
        await consumer.stop()

    async def _leave_until_database_answers(self, consumer: BatchConsumer) -> None:
        """Leave the partitions to replicas that reach the database; where none does, nothing is lost by it."""
        _log.error("consumer_left", consumer=consumer.consumer_name, why="the database does not answer")
        await consumer.disconnect()
        while self._maintenance.database_silent_s() and not self._stopping.is_set():
            await set_within(self._stopping, _LOOK_FOR_DATABASE_S)
            await self._maintenance.database_faults(self.package)
        await self._until_done(f"consumer {consumer.name}", consumer.restart)


class SchemaMismatch(RuntimeError):
    """The database's schema is not the one this code was written for."""


async def _first_failure(tasks: Sequence["asyncio.Task[None]"]) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()


Command = Callable[[ServiceApp, Sequence[str]], Awaitable[int]]


def run(build: Callable[[ST], ServiceApp], settings_type: type[ST], commands: dict[str, Command] | None = None) -> None:
    """`python -m <service> [serve | migrate | a command of its own]`; ends the process."""
    known: dict[str, Command] = {"serve": _serve, "migrate": _migrate, **(commands or {})}
    name, *arguments = sys.argv[1:] or ["serve"]
    if name not in known:
        print(f"unknown command {name!r}; known: {', '.join(known)}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2)
    settings = load_settings(settings_type)

    async def main() -> int:
        app = build(settings)
        setup_logs(app.service, settings.log_level)
        try:
            return await known[name](app, arguments)
        except DatabaseUnavailable as error:
            print(error, file=sys.stderr)  # noqa: T201  (one sentence for the operator, beside the log)
            return 1

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        raise SystemExit(runner.run(main()))


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


async def _serve(app: ServiceApp, _arguments: Sequence[str]) -> int:
    _freeze_long_lived_objects()
    await app.serve()
    return 0


def _freeze_long_lived_objects() -> None:
    """What exists now exists until the end: the garbage collector need not go through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.collect()  # what is left is little: the collector starts a full collection when what came since is a quarter of it
    gc.set_threshold(_COLLECT_AFTER, 10, 10)


async def _migrate(app: ServiceApp, _arguments: Sequence[str]) -> int:
    await app.migrate()
    await app.database.close()
    return 0
