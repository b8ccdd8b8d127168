"""Whole replicas of triage in this process, on a broker and a database of their own; what others publish, a test publishes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy import text

from tests.support.names import NAME_KEY
from tests.support.servers import Servers
from tests.support.waiting import until
from tests.unit.triage.builders import NOON, submitted
from triage.app import build
from triage.settings import Settings
from tuntas_chassis.ids import new_id
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCIES, CASES
from tuntas_contracts.vocabulary import Service

TIMEOUT_S = 90.0


def an_entry(code: str, *, enabled: bool = True, minutes: int = 0) -> AgencyRegistered:
    """An entry of the register, some minutes after noon."""
    return AgencyRegistered(
        code=code,
        name=f"Instansi {code}",
        kind="body",
        time_zone="Asia/Jakarta",
        email=f"aduan@{code}.example",
        enabled=enabled,
        occurred_at=NOON + timedelta(minutes=minutes),
    )


@dataclass
class Replicas:
    """Replicas of triage that read the register again only at their start, so that nothing else hides a stale one."""

    servers: Servers
    running: list[tuple[ServiceApp, "asyncio.Task[None]"]] = field(default_factory=list)
    database_url: str = ""

    def __post_init__(self) -> None:
        self.database_url = self.servers.database()

    def make(self) -> ServiceApp:
        """A replica that does not run yet."""
        settings: dict[str, Any] = {
            "environment": "test",
            "kafka": self.servers.bootstrap,
            "database_url": SecretStr(self.database_url),
            "oidc_issuer": "http://127.0.0.1:1",
            "name_keys": NAME_KEY,
            "migrate_on_start": True,
            "register_reload_s": 3_600,
            "batch_linger_ms": 5,
            "outbox_linger_ms": 5,
            "drain_timeout_s": 5,
        }
        return build(Settings(**settings))

    def begin(self, app: ServiceApp) -> None:
        """Run a replica."""
        self.running.append((app, asyncio.create_task(app.run_delivery())))

    async def start(self) -> ServiceApp:
        """Run a replica and wait until it is ready."""
        app = self.make()
        self.begin(app)
        await self.ready(app)
        return app

    async def ready(self, app: ServiceApp) -> None:
        """Wait until a replica is ready."""

        async def ready() -> bool:
            return not await app.unready()

        await until(ready, "the replica is ready", TIMEOUT_S)

    async def stop(self, app: ServiceApp) -> None:
        """End one in good order."""
        [task] = [task for other, task in self.running if other is app]
        self.running = [(other, task) for other, task in self.running if other is not app]
        app.stop()
        await task
        await app.database.close()

    async def stop_all(self) -> None:
        """End them all."""
        for app, _ in list(self.running):
            await self.stop(app)

    async def publish(self, topic: str, source: Service, messages: Sequence[tuple[str, Contract]]) -> None:
        """Put messages of another service on a topic, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.servers.bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            for key, body in messages:
                headers = Envelope(new_id(), source.value, type(body).__name__, key, NOON).headers()
                await producer.send_and_wait(topic, body.model_dump_json().encode(), key.encode(), headers=headers)
        finally:
            await producer.stop()

    async def register(self, *entries: AgencyRegistered) -> None:
        """Dispatch changes its register."""
        await self.publish(AGENCIES.name, Service.DISPATCH, [(entry.code, entry) for entry in entries])

    async def submit(self, number: int, agency: str) -> Sequence[UUID]:
        """Reports that address an agency, over all partitions; returns the case ids."""
        ids = [new_id() for _ in range(number)]
        events = [submitted(case_id, addressed_agency=agency) for case_id in ids]
        await self.publish(CASES.name, Service.INTAKE, [(str(event.case_id), event) for event in events])
        return ids

    async def decisions(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Wait until each case is decided on; its state."""
        (app, _), *_ = self.running

        async def all_there() -> dict[UUID, str] | None:
            async with app.database.connect() as connection:
                rows = await connection.execute(text("SELECT case_id, state FROM case_file WHERE case_id = ANY(:ids)"), {"ids": list(ids)})
                found = {row.case_id: row.state for row in rows}
            return found if found.keys() == set(ids) else None

        found: Mapping[UUID, str] = await until(all_there, "every report is decided on", TIMEOUT_S)
        return found

    async def until_known(self, code: str, *, enabled: bool) -> None:
        """Wait until the database has the agency so."""
        (app, _), *_ = self.running

        async def known() -> bool:
            async with app.database.connect() as connection:
                return await connection.scalar(text("SELECT enabled FROM agency WHERE code = :code"), {"code": code}) is enabled

        await until(known, f"{code} is known", TIMEOUT_S)
