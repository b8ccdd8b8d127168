"""The agency register in PostgreSQL: written by `load-register` and over HTTP, read by everyone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.adapters.register_audit import write_audit
from dispatch.domain.register_changes import Author, Change, StoredAgency, fields_of
from dispatch.domain.register_entries import Agency, Unit
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.agencies import AgencyRegistered, UnitRecord
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.topology import AGENCIES
from tuntas_contracts.vocabulary import AgencyKind, UnitKind
from tuntas_reference.categories import Sector

_COLUMNS = "code, name, kind, time_zone, region_code, supervised_by, email, sectors, units, enabled, changed_at"
_READ = f"SELECT {_COLUMNS} FROM agency"  # noqa: S608
_ALL = text(_READ)
_ONE = text(f"{_READ} WHERE code = :code")
# some 650 rows: filters need no index
_PAGE = text(
    f"{_READ} WHERE code > :after AND (CAST(:kind AS text) IS NULL OR kind = :kind) "
    "AND (CAST(:sector AS text) IS NULL OR CAST(:sector AS text) = ANY(sectors)) "
    "AND (CAST(:region AS text) IS NULL OR region_code = :region OR region_code LIKE CAST(:region AS text) || '.%') "
    "ORDER BY code LIMIT :limit"
)
_TIERS = text(
    "WITH RECURSIVE above (code, name, supervised_by, depth) AS ("
    "SELECT a.code, a.name, a.supervised_by, 0 FROM agency a WHERE a.code = :code "
    "UNION ALL SELECT a.code, a.name, a.supervised_by, b.depth + 1 FROM agency a JOIN above b ON a.code = b.supervised_by "
    "WHERE b.depth < 10) SELECT code, name FROM above WHERE depth > 0 ORDER BY depth"
)
_UNITS = text("SELECT code, CAST(units AS text) AS units FROM agency")
_LOCK = text("LOCK TABLE agency IN SHARE ROW EXCLUSIVE MODE")
_UPSERT = text(
    f"INSERT INTO agency ({_COLUMNS}) VALUES (:code, :name, :kind, :time_zone, :region_code, :supervised_by, :email, "  # noqa: S608
    ":sectors, CAST(:units AS jsonb), :enabled, :changed_at) ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, kind = EXCLUDED.kind, "
    "time_zone = EXCLUDED.time_zone, region_code = EXCLUDED.region_code, supervised_by = EXCLUDED.supervised_by, "
    "email = EXCLUDED.email, sectors = EXCLUDED.sectors, units = EXCLUDED.units, enabled = EXCLUDED.enabled, "
    "changed_at = EXCLUDED.changed_at"
)
_READ_LOADED = text("SELECT code, loaded FROM agency WHERE loaded IS NOT NULL")
_LOADED = BulkColumns(Agency, BulkColumn("code", "text"), BulkColumn("loaded", "jsonb", lambda agency: json.dumps(fields_of(agency))))
_REMEMBER_LOADED = _LOADED.statement(
    "UPDATE agency AS a SET loaded = x.loaded FROM {unnest} AS x ({names}) WHERE a.code = x.code AND a.loaded IS DISTINCT FROM x.loaded"
)
_TOPIC = Author("register-topic", "published before, and lost by a database that was put back to a backup")
_LOADER = Author("load-register", "the register's files")


@dataclass(frozen=True, slots=True)
class Tier:
    """An agency that stands above another (berjenjang)."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading the register did.

    `kept` have something that an operator set and the files say otherwise; `absent` are in the database but not in the files. Both
    are left as they are.
    """

    added: int
    changed: int
    unchanged: int
    kept: int
    absent: int
    outgoing: Sequence[Outgoing]


async def lock_register(connection: AsyncConnection) -> Mapping[str, StoredAgency]:
    """The whole register by code, which nobody else changes until the transaction ends; readers go on."""
    await connection.execute(_LOCK)
    return await read_all(connection)


async def write_changes(connection: AsyncConnection, changes: Sequence[Change], author: Author, clock: Clock) -> Sequence[Outgoing]:
    """Write what differs, with a line of the audit for each; the caller, who holds the lock, publishes what this gives.

    The time of an entry never goes back, whatever the clock of a replica says: readers keep the newest.
    """
    now = clock.now()
    changed = [
        Change(c.before, replace(c.after, changed_at=max(now, c.before.changed_at or now) if c.before else now))
        for c in changes
        if c.before != c.after
    ]
    await _write(connection, changed, author)
    return [Outgoing(AGENCIES.name, c.code, _registered(c.after), _at(c.after)) for c in changed]


async def _write(connection: AsyncConnection, changed: Sequence[Change], author: Author) -> None:
    if changed:
        await connection.execute(_UPSERT, [_values(change.after) for change in changed])
        await write_audit(connection, changed, author)


class PublishedRegister:
    """The register as a store of the delivery core: what is read back of the register's own topic."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, StoredAgency]:
        """The agencies of these codes; nobody else changes the register until the transaction ends."""
        known = await lock_register(connection)
        return {code: known[code] for code in keys if code in known}

    async def save(self, connection: AsyncConnection, states: Sequence[StoredAgency], rows: Sequence[object]) -> None:
        """Write them as they were published, each with a line of the audit."""
        known = await read_all(connection)
        await _write(connection, [Change(known.get(state.agency.code), state) for state in states], _TOPIC)


async def load_into(connection: AsyncConnection, register: Sequence[Agency], clock: Clock) -> Loaded:
    """Write what is new, and what the files changed since they were loaded last and nobody set by hand; see `_merged`.

    Whether an agency is enabled is never taken from the files. The caller publishes `outgoing` in the same transaction.
    """
    known = await lock_register(connection)
    before = {
        row.code: json.loads(row.loaded) if isinstance(row.loaded, str) else row.loaded for row in await connection.execute(_READ_LOADED)
    }
    fresh = [Change(None, StoredAgency(a, enabled=True)) for a in register if a.code not in known]
    merged = [
        Change(stored, StoredAgency(_merged(a, stored.agency, before.get(a.code)), stored.enabled))
        for a in register
        if (stored := known.get(a.code)) is not None
    ]
    outgoing = await write_changes(connection, [*fresh, *merged], _LOADER, clock)
    await connection.execute(_REMEMBER_LOADED, _LOADED.arrays(register))
    files = {a.code: StoredAgency(a, enabled=True) for a in register}
    changed = sum(change.before != change.after for change in merged)
    return Loaded(
        added=len(fresh),
        changed=changed,
        unchanged=len(merged) - changed,
        kept=sum(change.after != files[change.code] for change in merged),
        absent=len(known.keys() - files.keys()),
        outgoing=outgoing,
    )


def _merged(file: Agency, stored: Agency, loaded: Mapping[str, object] | None) -> Agency:
    """Field by field: what the files say, unless an operator set it otherwise since the files were loaded last."""
    if loaded is None:  # loaded by a release that did not remember it, or entered by an operator: the two can't be distinguished
        return stored
    now = fields_of(stored)
    return replace(file, **{field: getattr(stored, field) for field in now if now[field] != loaded.get(field)})


async def read_all(connection: AsyncConnection) -> Mapping[str, StoredAgency]:
    """The whole register by code."""
    return {row.code: _stored(row) for row in await connection.execute(_ALL)}


async def read_one(connection: AsyncConnection, code: str) -> tuple[StoredAgency, Sequence[Tier]] | None:
    """One agency and who stands above it, the nearest first."""
    row = (await connection.execute(_ONE, {"code": code})).one_or_none()
    if row is None:
        return None
    tiers = [Tier(t.code, t.name) for t in await connection.execute(_TIERS, {"code": code})]
    return _stored(row), tiers


async def read_page(
    connection: AsyncConnection, *, kind: str | None, sector: str | None, region: str | None, after: str, limit: int
) -> Sequence[StoredAgency]:
    """Agencies in order of their codes after `after`; a province's region code finds its regencies and cities too."""
    values = {"kind": kind, "sector": sector, "region": region, "after": after, "limit": limit}
    return [_stored(row) for row in await connection.execute(_PAGE, values)]


async def read_units(connection: AsyncConnection) -> tuple[Mapping[str, frozenset[str]], Mapping[str, Exception]]:
    """The unit codes of every agency, and what is wrong with those entries that this code can't read."""
    found: dict[str, frozenset[str]] = {}
    faults: dict[str, Exception] = {}
    for row in await connection.execute(_UNITS):
        try:
            found[row.code] = frozenset(unit["code"] for unit in json.loads(row.units))
        except (ValueError, TypeError, KeyError) as error:
            faults[row.code] = error
    return found, faults


def _stored(row: Row[Any]) -> StoredAgency:
    units = json.loads(row.units) if isinstance(row.units, str) else row.units
    agency = Agency(
        code=row.code,
        name=row.name,
        kind=member_or_text(AgencyKind, row.kind),
        time_zone=row.time_zone,
        email=row.email,
        sectors=tuple(Sector(s) for s in row.sectors),
        units=tuple(
            Unit(u["code"], u["name"], member_or_text(UnitKind, u["kind"]), tuple(Sector(s) for s in u["sectors"]), u["parent"])
            for u in units
        ),
        region_code=row.region_code,
        supervised_by=row.supervised_by,
    )
    return StoredAgency(agency, row.enabled, row.changed_at)


def _values(stored: StoredAgency) -> dict[str, object]:
    fields = stored.fields
    return {**fields, "code": stored.agency.code, "units": json.dumps(fields["units"]), "changed_at": stored.changed_at}


def _at(stored: StoredAgency) -> datetime:
    assert stored.changed_at is not None, "what is stored has its time"
    return stored.changed_at


def _registered(stored: StoredAgency) -> AgencyRegistered:
    agency = stored.agency
    return AgencyRegistered(
        code=agency.code,
        name=agency.name,
        kind=agency.kind,
        time_zone=agency.time_zone,
        region_code=agency.region_code,
        supervised_by=agency.supervised_by,
        email=agency.email,
        sectors=agency.sectors,
        units=tuple(UnitRecord(code=u.code, name=u.name, kind=u.kind, sectors=u.sectors, parent=u.parent) for u in agency.units),
        enabled=stored.enabled,
        occurred_at=_at(stored),
    )
