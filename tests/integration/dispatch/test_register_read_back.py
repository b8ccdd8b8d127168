"""A database that was put back to a backup takes over what operators set since, from the register's own topic."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.adapters.register_store import PublishedRegister, load_into, lock_register, read_all, write_changes
from dispatch.domain.register import load_register
from dispatch.domain.register_changes import Author, Change, StoredAgency, read_back
from dispatch.domain.register_entries import Unit
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.vocabulary import UnitKind

KEMENKES = next(agency for agency in load_register() if agency.code == "kemenkes")
NOW = datetime(2026, 11, 26, 5, 0, 0, 123_456, UTC)
STORE = PublishedRegister()


class MovedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def from_broker(self, timestamp_ms: int) -> datetime:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


async def published(database: AsyncConnection, clock: MovedClock, wanted: StoredAgency) -> AgencyRegistered:
    """What an operator's change puts on the topic, as it is read there."""
    clock.at += timedelta(minutes=1)
    known = await lock_register(database)
    [outgoing] = await write_changes(database, [Change(known.get(wanted.agency.code), wanted)], Author("operator:wati", "letter"), clock)
    return AgencyRegistered.model_validate_json(outgoing.body.model_dump_json())


async def read_again(database: AsyncConnection, event: AgencyRegistered) -> StoredAgency | None:
    """What the delivery core does with it."""
    found = read_back((await STORE.load(database, [event.code])).get(event.code), event)
    if found is not None:
        await STORE.save(database, [found], ())
    return found


async def test_what_an_operator_set_after_the_backup_is_there_again(database: AsyncConnection) -> None:
    clock = MovedClock()
    await load_into(database, [KEMENKES], clock)
    backup = await database.begin_nested()
    below = Unit("gizi", "Direktorat Gizi", UnitKind.ORDINARY, KEMENKES.sectors, parent=KEMENKES.units[0].code)
    wanted = StoredAgency(replace(KEMENKES, email="baru@kemenkes.example", units=(*KEMENKES.units, below)), enabled=False)
    event = await published(database, clock, wanted)
    await backup.rollback()
    assert (await read_all(database))["kemenkes"].enabled

    assert await read_again(database, event) == wanted
    assert (await read_all(database))["kemenkes"] == wanted, "units keep their place in the tree"
    clock.at += timedelta(days=1)
    loaded = await load_into(database, [KEMENKES], clock)
    assert (loaded.changed, loaded.kept, (await read_all(database))["kemenkes"]) == (0, 1, wanted)
    last = (await database.execute(text("SELECT subject, before, after FROM agency_change ORDER BY id DESC LIMIT 1"))).one()
    assert (last.subject, last.before["enabled"], last.after["enabled"]) == ("register-topic", True, False)


async def test_what_is_stored_already_or_later_is_left(database: AsyncConnection) -> None:
    clock = MovedClock()
    first = await published(database, clock, StoredAgency(KEMENKES, enabled=False))
    last = await published(database, clock, StoredAgency(KEMENKES, enabled=True))
    for event in (first, last, first):
        assert await read_again(database, event) is None
    assert (await read_all(database))["kemenkes"].enabled
    assert await database.scalar(text("SELECT count(*) FROM agency_change")) == 2


async def test_an_event_of_a_former_release_names_no_parents_and_takes_none_away(database: AsyncConnection) -> None:
    clock = MovedClock()
    top, *others = KEMENKES.units
    tree = replace(KEMENKES, units=(top, *(replace(unit, parent=top.code) for unit in others)))
    event = await published(database, clock, StoredAgency(tree, enabled=True))
    old = event.model_dump(mode="json") | {"occurred_at": (clock.at + timedelta(hours=1)).isoformat(), "enabled": False}
    for unit in old["units"]:
        del unit["parent"]
    found = await read_again(database, AgencyRegistered.model_validate(old))
    assert found == StoredAgency(tree, enabled=False)
