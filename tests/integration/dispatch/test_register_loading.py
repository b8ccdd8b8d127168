"""Loading the register's files: what is new comes in, what an operator set stays, across loads and releases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.adapters.register_store import Loaded, load_into, lock_register, read_all, write_changes
from dispatch.domain.register import Agency, load_register
from dispatch.domain.register_changes import Author, Change, StoredAgency
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_contracts.agencies import AgencyRegistered

FILES = load_register()
KEMENKES, KEMENDIK, BOGOR = (next(a for a in FILES if a.code == code) for code in ("kemenkes", "kemendikdasmen", "kab-32-01"))
NOW = datetime(2026, 11, 26, tzinfo=UTC)
OPERATOR = Author("operator:wati", "letter 12/2026")


class FixedClock:
    """A clock that stands."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def from_broker(self, timestamp_ms: int) -> datetime:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


async def set_by_hand(database: AsyncConnection, agency: Agency, *, enabled: bool = True, at: datetime = NOW) -> Sequence[Outgoing]:
    """What an operator does over HTTP."""
    known = await lock_register(database)
    change = Change(known.get(agency.code), StoredAgency(agency, enabled))
    return await write_changes(database, [change], OPERATOR, FixedClock(at))


async def load(database: AsyncConnection, *agencies: Agency) -> Loaded:
    return await load_into(database, agencies, FixedClock())


async def stored(database: AsyncConnection, code: str) -> Agency:
    return (await read_all(database))[code].agency


def published(outgoing: Sequence[Outgoing]) -> list[tuple[str, bool]]:
    return [(m.body.code, m.body.enabled) for m in outgoing if isinstance(m.body, AgencyRegistered)]


async def test_the_first_load_brings_all_and_the_next_nothing(database: AsyncConnection) -> None:
    first = await load(database, KEMENKES, BOGOR)
    assert (first.added, published(first.outgoing)) == (2, [("kemenkes", True), ("kab-32-01", True)])
    again = await load(database, KEMENKES, BOGOR)
    assert (again.added, again.changed, again.unchanged, again.kept, again.outgoing) == (0, 0, 2, 0, [])


async def test_a_disabled_agency_stays_disabled(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    await set_by_hand(database, KEMENKES, enabled=False)
    again = await load(database, KEMENKES)
    assert (await read_all(database))["kemenkes"].enabled is False
    assert (again.changed, again.kept, again.outgoing) == (0, 1, [])
    renamed = await load(database, replace(KEMENKES, name="Kementerian Kesehatan RI"))
    assert published(renamed.outgoing) == [("kemenkes", False)]
    assert (await read_all(database))["kemenkes"].enabled is False


async def test_what_an_operator_set_stays_and_the_rest_follows_the_files(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    await set_by_hand(database, replace(KEMENKES, email="pengaduan@kesehatan.example"))
    for name in ("Kementerian Kesehatan", "Kementerian Kesehatan RI"):  # two releases later still
        await load(database, replace(KEMENKES, name=name, email="lain@files.example"))
        found = await stored(database, "kemenkes")
        assert (found.email, found.name) == ("pengaduan@kesehatan.example", name)


async def test_what_the_files_changed_and_nobody_set_is_taken_over(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    changed = replace(KEMENKES, email="baru@kemenkes.example", units=KEMENDIK.units)
    loaded = await load(database, changed)
    assert (loaded.changed, loaded.kept, await stored(database, "kemenkes")) == (1, 0, changed)


async def test_an_agency_of_an_operator_is_never_taken_over_nor_taken_out(database: AsyncConnection) -> None:
    await set_by_hand(database, replace(BOGOR, email="warga@bogor.example"))
    loaded = await load(database, KEMENKES)
    assert loaded.absent == 1
    await load(database, BOGOR)
    assert (await stored(database, "kab-32-01")).email == "warga@bogor.example"


async def test_every_change_has_a_line_that_says_who_why_and_what(database: AsyncConnection) -> None:
    await load(database, KEMENKES)
    await set_by_hand(database, replace(KEMENKES, email="baru@kemenkes.example"), enabled=False)
    assert await set_by_hand(database, replace(KEMENKES, email="baru@kemenkes.example"), enabled=False) == []
    lines = list(await database.execute(text("SELECT subject, reason, code, before, after FROM agency_change ORDER BY id")))
    assert [(line.subject, line.code) for line in lines] == [("load-register", "kemenkes"), ("operator:wati", "kemenkes")]
    assert (lines[0].before, lines[0].after["name"]) == (None, KEMENKES.name)
    assert (lines[1].reason, lines[1].before) == ("letter 12/2026", {"email": KEMENKES.email, "enabled": True})
    assert lines[1].after == {"email": "baru@kemenkes.example", "enabled": False}


async def test_the_time_of_an_entry_never_goes_back(database: AsyncConnection) -> None:
    """Readers keep the newest entry: one from a replica whose clock is behind must not pass for the older."""
    await load(database, KEMENKES)
    [later] = await set_by_hand(database, KEMENKES, enabled=False, at=NOW + timedelta(seconds=3))
    [behind] = await set_by_hand(database, KEMENKES, at=NOW + timedelta(seconds=1))
    assert behind.time >= later.time
    assert isinstance(behind.body, AgencyRegistered)
    assert (behind.body.enabled, behind.body.occurred_at) == (True, behind.time)
