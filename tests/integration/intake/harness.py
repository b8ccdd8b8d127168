"""Intake on a real PostgreSQL, spoken to over HTTP without a socket; the identity provider is a table."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from intake.adapters.store import HistoryStore
from intake.app import build
from intake.application.handlers import follow
from intake.settings import Settings
from tests.support.names import NAME_KEY
from tests.support.servers import Servers
from tests.unit.intake.builders import KEY, a_report, incoming
from tuntas_chassis.http.auth import Principal
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.base import Contract
from tuntas_contracts.vocabulary import Role

PRINCIPALS = {
    "clerk": Principal("clerk-7", frozenset({Role.CLERK})),
    "notifier": Principal("notifier", frozenset({Role.SERVICE})),
    "operator": Principal("operator-1", frozenset({Role.OPERATOR})),
    "national": Principal("national-1", frozenset({Role.NATIONAL_ADMINISTRATOR})),
    "administrator": Principal("administrator-1", frozenset({Role.AGENCY_ADMINISTRATOR}), "dinas-pu"),
    "liaison": Principal("liaison-1", frozenset({Role.LIAISON_OFFICER}), "dinas-pu"),
    "liaison-elsewhere": Principal("liaison-2", frozenset({Role.LIAISON_OFFICER}), "dinas-lain"),
    "agency-system": Principal("system-1", frozenset({Role.AGENCY_SYSTEM}), "dinas-pu"),
}


class TokenTable:
    """Knows the tokens of PRINCIPALS and no others."""

    async def verify(self, token: str) -> Principal:
        if token not in PRINCIPALS:
            raise Problem(401, "Not authorised", "no such token", "not_authorised")
        return PRINCIPALS[token]


def bearer(name: str) -> dict[str, str]:
    """The header that makes one of PRINCIPALS speak."""
    return {"Authorization": f"Bearer {name}"}


def code(receipt: dict[str, Any], **headers: str) -> dict[str, str]:
    """The header that opens the report of a receipt."""
    return {"X-Access-Code": receipt["access_code"], **headers}


class IntakeHarness:
    """One or more replicas of intake on one database."""

    def __init__(self, servers: Servers, replicas: int = 1) -> None:
        settings = Settings(
            environment="test",
            kafka="127.0.0.1:1",
            database_url=SecretStr(servers.database()),
            oidc_issuer="http://127.0.0.1:1",
            encryption_key=SecretStr(b64encode(KEY).decode()),
            access_code_pepper=SecretStr("a pepper of at least thirty-two characters"),
            name_keys=SecretStr(NAME_KEY),
            database_pool_size=4,
        )
        self.replicas: Sequence[ServiceApp] = [build(settings) for _ in range(replicas)]
        self.clients = [_client(app.http) for app in self.replicas]
        self.app, self.http = self.replicas[0], self.clients[0]

    async def open(self) -> None:
        """Create the tables."""
        await self.app.migrate()

    def hand_over_to(self, app: ServiceApp) -> None:
        """From now on another process on this database answers."""
        self.replicas = [*self.replicas, app]
        self.clients.append(_client(app.http))
        self.app, self.http = app, self.clients[-1]

    async def close(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as stack:
            for client in self.clients:
                stack.push_async_callback(client.aclose)
            for app in self.replicas:
                stack.push_async_callback(app.database.close)

    async def submit(self, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
        """The receipt of a new report."""
        answer = await self.http.post("/v1/reports", json=a_report(**fields), headers=headers)
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def at_once(
        self, posts: Sequence[tuple[int, dict[str, Any], str]], headers: dict[str, str] | None = None
    ) -> list[httpx.Response]:
        """Submissions that are sent together: each to a replica, with a body and an idempotency key."""
        return await asyncio.gather(
            *(
                self.clients[replica].post("/v1/reports", json=body, headers={"Idempotency-Key": key} | (headers or {}))
                for replica, body, key in posts
            )
        )

    async def read(self, *events: Contract) -> None:
        """Let intake read these events from the topic, in one batch."""
        rows = [row for event in events for row in follow(None, incoming(event)).rows]
        async with self.app.database.begin() as connection:
            await HistoryStore().save(connection, [], rows)

    async def rows(self, sql: str, **parameters: Any) -> list[Any]:
        """What the database holds."""
        async with self.app.database.connect() as connection:
            return list(await connection.execute(text(sql), parameters))

    async def run(self, sql: str, **parameters: Any) -> None:
        """Change what the database holds."""
        async with self.app.database.begin() as connection:
            await connection.execute(text(sql), parameters)


def _client(app: FastAPI) -> httpx.AsyncClient:
    app.state.tokens = TokenTable()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://intake")
