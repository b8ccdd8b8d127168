"""Dispatch's register on a real database, spoken to over HTTP; nothing is read or sent. The identity provider is a table."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from dispatch.adapters.register_snapshot import RegisterSnapshot
from dispatch.adapters.register_store import lock_register, write_changes
from dispatch.application.register_changes import RegisterChanges
from dispatch.entrypoints.register_routes import register_change_routes, register_routes
from dispatch.metrics import METRICS
from dispatch.settings import Settings
from tests.support.names import NAME_KEY
from tuntas_chassis.clock import Clock, SystemClock
from tuntas_chassis.http.auth import Principal
from tuntas_chassis.http.problems import Problem, install_problems
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.vocabulary import Role

PRINCIPALS = {
    "operator": Principal("operator:wati", frozenset({Role.OPERATOR})),
    "another-operator": Principal("operator:budi", frozenset({Role.OPERATOR})),
    "auditor": Principal("auditor-1", frozenset({Role.AUDITOR})),
    "administrator": Principal("admin-1", frozenset({Role.AGENCY_ADMINISTRATOR}), "kemenkes"),
}


class TokenTable:
    """Knows the tokens of PRINCIPALS and no others."""

    async def verify(self, token: str) -> Principal:
        if token not in PRINCIPALS:
            raise Problem(401, "Not authorised", "There is no such token.", "not_authorised")
        return PRINCIPALS[token]


class RegisterHttp:
    """One replica of dispatch as far as its register goes."""

    def __init__(self, database_url: str, clock: Clock | None = None) -> None:
        settings = Settings.model_validate(
            {
                "environment": "test",
                "kafka": "127.0.0.1:1",
                "database_url": database_url,
                "oidc_issuer": "http://127.0.0.1:1",
                "name_keys": NAME_KEY,
            }
        )
        self.database = Database(settings, "dispatch")
        self.snapshot = RegisterSnapshot(self.database, MetricSet((*CHASSIS_METRICS, *METRICS)), settings.register_refresh_s)
        self.caught_up = True
        outbox = Outbox(settings.outbox_shards, lambda: None, lambda: False)
        changes = RegisterChanges(
            self.database, outbox, clock or SystemClock(), lock_register, write_changes, self.snapshot, lambda: self.caught_up
        )
        self.app = FastAPI()
        self.app.state.tokens = TokenTable()
        install_problems(self.app)
        self.app.include_router(register_routes(self.database))
        self.app.include_router(register_change_routes(self.database, changes))


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """The register's HTTP at the address that this gives, in a process of its own."""
    command = [sys.executable, "-m", "tests.support.register_http", database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Serve the register of the database named on the command line, and print where."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)  # noqa: T201  (connections wait from here on)
    server = uvicorn.Server(uvicorn.Config(RegisterHttp(sys.argv[1]).app, log_level="warning", lifespan="off"))
    asyncio.run(server.serve([listening]))


if __name__ == "__main__":
    main()
