"""Open transactions in a service's database: its own writers hold watermarks back, those of others are only reported."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Every connection of a service's processes carries the service's name, alone or before a hyphen and what it is for. A relay
# decides nothing: it only deletes what it has sent.
_OURS = "(application_name = :name OR application_name LIKE :name || '-%')"
_CLIENTS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend'"
)
_OWN = text(
    f"SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 {_CLIENTS} AND {_OURS} "  # noqa: S608  (fragments of ours)
    "AND application_name <> :name || '-relay'"
)
_FOREIGN = text(
    f"SELECT application_name AS application, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age {_CLIENTS} "  # noqa: S608
    f"AND NOT {_OURS} ORDER BY xact_start LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class ForeignTransaction:
    """The oldest open transaction of a session that is none of the service's: its application name, its age in seconds."""

    application: str
    age_s: float


async def oldest_own_s(connection: AsyncConnection, name: str) -> float:
    """For how many seconds the oldest open transaction of this service's writers has been open; 0 where there is none."""
    return max(await connection.scalar(_OWN, {"name": name}) or 0.0, 0.0)


async def oldest_foreign(connection: AsyncConnection, name: str) -> ForeignTransaction | None:
    """The oldest open transaction of another application that this role may see, None where there is none."""
    row = (await connection.execute(_FOREIGN, {"name": name})).first()
    return ForeignTransaction(row.application or "unnamed", max(row.age, 0.0)) if row else None
