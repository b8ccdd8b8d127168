"""What every service does on the side: purge its inbox, measure its queues, know whether its database can serve."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tuntas_chassis.certificates import trusted_until
from tuntas_chassis.database import Database
from tuntas_chassis.logs import logger
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.migrations import head_revision, is_served_by
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.waiting import set_within

_PURGE_EVERY_S = 3600.0
_LOOK_AGAIN_S = 1.0
_log = logger(__name__)

_PURGE = text(
    "DELETE FROM inbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => :days) LIMIT 50000))"
)
_OUTBOX = text("SELECT count(*) AS number, extract(epoch FROM clock_timestamp() - min(written_at))::float8 AS age FROM outbox")
_PARKED = text(
    "SELECT consumer, count(*) AS number, extract(epoch FROM clock_timestamp() - min(parked_at))::float8 AS age "
    "FROM parked_message WHERE state IN ('parked', 'waiting') GROUP BY consumer"
)
_NOW = text("SELECT clock_timestamp()")


class Upkeep:
    """The side work of one service."""

    def __init__(self, database: Database, settings: ServiceSettings, metrics: MetricSet) -> None:
        self._database = database
        self._settings = settings
        self._metrics = metrics
        self._looked_at = -float("inf")
        self._faults: dict[str, str] = {"database": "not asked yet"}

    async def database_faults(self, package: str) -> dict[str, str]:
        """Why the database can't serve; nothing where it can. Asked at most once a second."""
        if monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = monotonic()
            try:
                async with asyncio.timeout(3):
                    found = await self._database.revision()
                served = is_served_by(package, found)
                wanted = f"the database stands at {found}, this code needs {head_revision(package)}"
                self._faults = {} if served else {"migrations": wanted}
                self._metrics.set("tuntas_migration_mismatch", 0 if served else 1)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                self._faults = {"database": f"does not answer ({type(error).__name__})"}
        return dict(self._faults)

    async def report(self, consumers: Iterable[str]) -> None:
        """Set the gauges of outbox, parking lot of these consumers, clock and certificates; what can't be measured stays as it was."""
        for authority, until in trusted_until(self._settings).items():
            self._metrics.set("tuntas_trusted_certificate_expiry_timestamp_seconds", until, authority)
        try:
            async with asyncio.timeout(3), self._database.connect() as connection:
                outbox = (await connection.execute(_OUTBOX)).one()
                parked = {row.consumer: row for row in await connection.execute(_PARKED)}
                database_now = (await connection.execute(_NOW)).scalar_one()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("gauges_not_measured", error=type(error).__name__)
            return
        self._metrics.set("tuntas_outbox_messages", outbox.number)
        self._metrics.set("tuntas_outbox_age_seconds", outbox.age or 0.0)
        for consumer in consumers:
            found = parked.get(consumer)
            self._metrics.set("tuntas_parked_messages", found.number if found else 0, consumer)
            self._metrics.set("tuntas_parked_oldest_seconds", found.age if found else 0.0, consumer)
        self._metrics.set("tuntas_clock_skew_seconds", (database_now - datetime.now(UTC)).total_seconds())

    async def run(self, stopping: asyncio.Event) -> None:
        """Purge from time to time until stopping."""
        while not stopping.is_set():
            try:
                async with self._database.begin() as connection:
                    purged = await connection.execute(_PURGE, {"days": self._settings.inbox_retention_days})
                wait = 1.0 if purged.rowcount >= 50_000 else _PURGE_EVERY_S
            except (SQLAlchemyError, OSError) as error:
                _log.warning("inbox_not_purged", error=type(error).__name__)
                wait = 60.0
            await set_within(stopping, wait)
