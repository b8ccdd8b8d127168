"""The register of agencies: a table kept from its topic, and a copy in memory that decisions read."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from triage.adapters.tables import AGENCY
from triage.domain.register import Agency
from tuntas_chassis.persistence.database import Database

_LOAD = text("SELECT * FROM agency WHERE code = ANY(CAST(:codes AS text[])) ORDER BY code FOR UPDATE")
_SAVE = text(
    "INSERT INTO agency (code, name, time_zone, enabled, region_code, sectors, as_of) "
    "VALUES (:code, :name, :time_zone, :enabled, :region_code, :sectors, :as_of) "
    "ON CONFLICT (code) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone, enabled = excluded.enabled, "
    "region_code = excluded.region_code, sectors = excluded.sectors, as_of = excluded.as_of"
)


class RegisterCopy:
    """The register in memory. Entries only ever get newer; none leaves (an agency that ends is disabled)."""

    def __init__(self) -> None:
        self._agencies: dict[str, Agency] = {}

    def get(self, code: str) -> Agency | None:
        """The agency of that code, enabled or not."""
        return self._agencies.get(code)

    def enabled(self) -> Iterable[Agency]:
        """Every agency that takes cases."""
        return (agency for agency in self._agencies.values() if agency.enabled)

    def __len__(self) -> int:
        return len(self._agencies)

    def put(self, agencies: Iterable[Agency]) -> None:
        """Take over these agencies where they are as new as what is known."""
        for agency in agencies:
            known = self._agencies.get(agency.code)
            if known is None or known.as_of <= agency.as_of:
                self._agencies[agency.code] = agency

    async def reload(self, database: Database) -> None:
        """Take over what the table holds, perhaps written by another replica."""
        async with database.connect() as connection:
            rows = await connection.execute(select(AGENCY))
            self.put(_agency(row) for row in rows.mappings())


class AgencyStore:
    """The `agency` table as a store of the delivery core; what it saves is in the copy at once."""

    def __init__(self, copy: RegisterCopy) -> None:
        self._copy = copy

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Agency]:
        """The agencies of these codes, locked."""
        rows = await connection.execute(_LOAD, {"codes": list(keys)})
        return {row["code"]: _agency(row) for row in rows.mappings()}

    async def save(self, connection: AsyncConnection, states: Sequence[Agency], rows: Sequence[object]) -> None:
        """Write changed agencies. The copy may be ahead of the commit: the topic is right, and is read again if that fails."""
        if states:
            await connection.execute(_SAVE, [asdict(agency) for agency in states])
            self._copy.put(states)


def _agency(row: RowMapping) -> Agency:
    return Agency(
        code=row["code"],
        name=row["name"],
        time_zone=row["time_zone"],
        enabled=row["enabled"],
        region_code=row["region_code"],
        sectors=tuple(row["sectors"]),
        as_of=row["as_of"],
    )
