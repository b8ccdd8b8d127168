"""uvicorn as our processes run it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from tuntas_chassis.http.guard import GuardedConfig, GuardedProtocol, HttpLimits
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.waiting import set_within


def service_config(app: ASGIApp, settings: ServiceSettings, closed: Callable[[str], None]) -> GuardedConfig:
    """How a service's application is served; `closed` is called with the reason where the guard closes a connection."""
    return GuardedConfig(
        app,
        HttpLimits(
            connections=settings.http_max_connections,
            header_s=settings.http_header_timeout_s,
            body_s=settings.http_body_timeout_s,
            answer_s=settings.http_answer_timeout_s,
        ),
        closed,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        timeout_keep_alive=settings.http_keep_alive_s,
        timeout_graceful_shutdown=int(settings.drain_timeout_s),
    )


class HttpServer(uvicorn.Server):
    """Ends when it is asked to, and wakes once a second instead of ten times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Take no further request, answer those under way, and end."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Until asked to end. A tick, every tenth of which renews the Date header, is a tenth of a second to uvicorn."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 10
            self._check_connections()
            await set_within(self._ending, 1.0)

    def _check_connections(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, GuardedProtocol):
                connection.check(now)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process: uvicorn would end it by the signal, not with status 0."""
        yield
