"""What every service does on the side: purge its inbox, measure its queues, know whether its database can serve."""

import asyncio
from collections.abc import Iterable
from time import monotonic

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tuntas_chassis.messaging.dead_letters import purge_resolved
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.persistence.migrations import head_revision, is_served_by
from tuntas_chassis.persistence.probe import DatabaseState
from tuntas_chassis.persistence.transactions import ForeignTransaction, oldest_foreign
from tuntas_chassis.settings import ServiceSettings
from tuntas_chassis.telemetry.certificates import trusted_until
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet

PURGE_EVERY_S = 3600.0
_PURGE_MORE_S = 1.0
_PURGE_AT_ONCE = 50_000
_LOOK_AGAIN_S = 1.0
_log = logger(__name__)

_PURGE = text(
    "DELETE FROM inbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => :days) LIMIT :most))"
)
_OUTBOX = text("""SELECT sum(number)::int8 AS number, sum(number) FILTER (WHERE aside)::int8 AS set_aside,
  extract(epoch FROM clock_timestamp() - min(oldest))::float8 AS age
 FROM (SELECT count(*) AS number, min(written_at) AS oldest, false AS aside FROM outbox
  UNION ALL SELECT count(*), min(written_at), true FROM outbox_set_aside) o""")
_PARKED = text(
    "SELECT consumer, count(*) AS number, extract(epoch FROM clock_timestamp() - min(parked_at))::float8 AS age "
    "FROM parked_message WHERE state IN ('parked', 'waiting') GROUP BY consumer"
)


class Maintenance:
    """The side work of one service."""

    def __init__(self, database: Database, settings: ServiceSettings, metrics: MetricSet) -> None:
        self._database = database
        self._settings = settings
        self._metrics = metrics
        self._looked_at = -float("inf")
        self._foreign: set[str] = set()
        self._faults: dict[str, str] = {"database": "not asked yet"}
        self._silent_since: float | None = None

    async def revision(self) -> str | None:
        """The migration that the database is at, or None before the first; raises where it does not answer."""
        return (await self._database.probe.look()).revision

    async def database_faults(self, package: str) -> dict[str, str]:
        """Why the database can't serve; nothing where it can. Asked at most once a second, over a connection of its own."""
        if monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = monotonic()
            try:
                state = await self._database.probe.look()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                self._faults = {"database": f"does not answer ({type(error).__name__})"}
                self._silent_since = self._silent_since or monotonic()
            else:
                self._silent_since = None
                self._faults = self._judge(package, state)
        return dict(self._faults)

    def database_silent_s(self) -> float:
        """For how long every look of `database_faults` had no answer; 0 where the last one had."""
        return 0.0 if self._silent_since is None else monotonic() - self._silent_since

    def _judge(self, package: str, state: DatabaseState) -> dict[str, str]:
        self._metrics.set("tuntas_clock_skew_seconds", state.skew_s)
        served = is_served_by(package, state.revision)
        self._metrics.set("tuntas_migration_mismatch", 0 if served else 1)
        faults = {}
        if not served:
            faults["migrations"] = f"the database is at {state.revision}, this code needs {head_revision(package)}"
        if state.read_only:
            faults["database"] = "takes no writes: it is a standby, or read-only while it fails over"
        return faults

    async def report(self, consumers: Iterable[str]) -> None:
        """Set the gauges of outbox, dead letters of these consumers and certificates; what can't be measured stays as it was."""
        for authority, until in trusted_until(self._settings).items():
            self._metrics.set("tuntas_trusted_certificate_expiry_timestamp_seconds", until, authority)
        try:
            async with asyncio.timeout(3), self._database.connect() as connection:
                outbox = (await connection.execute(_OUTBOX)).one()
                parked = {row.consumer: row for row in await connection.execute(_PARKED)}
                foreign = await oldest_foreign(connection, self._database.name)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("gauges_not_measured", error=type(error).__name__)
            return
        self._metrics.set("tuntas_outbox_messages", outbox.number)
        self._metrics.set("tuntas_outbox_set_aside_messages", outbox.set_aside)
        self._metrics.set("tuntas_outbox_age_seconds", outbox.age or 0.0)
        for consumer in consumers:
            found = parked.get(consumer)
            self._metrics.set("tuntas_parked_messages", found.number if found else 0, consumer)
            self._metrics.set("tuntas_parked_oldest_seconds", found.age if found else 0.0, consumer)
        self._report_foreign(foreign)

    def _report_foreign(self, foreign: ForeignTransaction | None) -> None:
        for application in self._foreign:
            self._metrics.set("tuntas_foreign_transaction_seconds", 0.0, application)
        if foreign is not None:
            application = foreign.application[:64]
            self._foreign.add(application)
            self._metrics.set("tuntas_foreign_transaction_seconds", foreign.age_s, application)

    async def purge_inbox(self) -> float:
        """Forget what the inbox has kept for long enough, a portion of it; returns the seconds until the next."""
        async with self._database.begin() as connection:
            purged = await connection.execute(_PURGE, {"days": self._settings.inbox_retention_days, "most": _PURGE_AT_ONCE})
            resolved = await purge_resolved(connection, self._settings.resolved_retention_days, _PURGE_AT_ONCE)
        return _PURGE_MORE_S if max(purged.rowcount, resolved) >= _PURGE_AT_ONCE else PURGE_EVERY_S
