"""Triage's SQL on a real PostgreSQL: what is saved is loaded again, whoever else is at work, whatever release wrote it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.names import NAME_KEY
from tests.support.waiting import until
from tests.unit.triage.builders import NOON, a_report, an_agency, submitted
from triage.adapters.queue import QueueFilter, QueuePosition, QueueReader
from triage.adapters.register import AgencyStore, RegisterCopy
from triage.adapters.store import CaseStore
from triage.domain.case import Case
from triage.domain.report import FiledReport
from triage.settings import Settings
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification, Service

STORE = CaseStore()
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


def a_case(**changes: Any) -> Case:
    """A case that waits in the national queue."""
    waiting: dict[str, Any] = {"waiting_reason": "no_agency_addressed", "waiting_since": NOON, "queued_as": NOON}
    return Case.open(submitted(uuid4()))._replace(**(waiting | changes))


def full() -> Case:
    """A case of which every field holds something that is easily lost: microseconds, quotes, letters beyond ASCII."""
    return a_case(
        state=CaseState.ARCHIVED,
        owner=Service.TRIAGE,
        topic_owner=Service.DISPATCH,
        version=2_147_483_647,
        topic_version=7,
        classification=Classification.ASPIRATION,
        category="health.hospitals",
        title="Café 'Ü' \\ \"{}\" 😀, {a,b}",
        misconduct=True,
        secret=True,
        submitted_at=datetime(2026, 3, 4, 5, 0, 0, 123_456, UTC),
        waiting_since=datetime(2026, 3, 4, 5, 0, 0, 1, UTC),
        bounces=3,
        arbitration=True,
        agency="kota-bandung",
        return_reason="baris satu\nbaris dua\ttab",
        archive_reason=ArchiveReason.DUPLICATE,
        archive_note="NULL",
        duplicate_of=uuid4(),
        name_fingerprints=bytes(range(240, 256)),
    )


async def file(engine: AsyncEngine, *cases: Case, **report: Any) -> None:
    """New cases with their reports."""
    async with engine.begin() as connection:
        await STORE.save(connection, cases, [FiledReport(case.case_id, a_report(**report)) for case in cases])


async def save(engine: AsyncEngine, *cases: Case) -> None:
    """Cases that are known, changed."""
    async with engine.begin() as connection:
        await STORE.save(connection, cases, ())


async def load(engine: AsyncEngine, *keys: object) -> dict[str, Case]:
    """What another transaction reads."""
    async with engine.begin() as connection:
        return await STORE.load(connection, [str(key) for key in keys])


@pytest.fixture
async def reader(url: str) -> AsyncIterator[QueueReader]:
    database = Database(
        Settings.model_validate(
            {"environment": "test", "kafka": "127.0.0.1:1", "database_url": url, "oidc_issuer": "http://127.0.0.1:1", "name_keys": NAME_KEY}
        ),
        "triage",
    )
    yield QueueReader(database)
    await database.close()


def test_the_full_case_leaves_nothing_out() -> None:
    empty = {"waiting_reason", "waiting_since", "queued_as"}  # by a_case
    assert [name for name, value in full()._asdict().items() if value is None and name not in empty] == []


@pytest.mark.parametrize("make", [a_case, full])
async def test_a_new_and_a_changed_case_are_loaded_as_they_were_saved(engine: AsyncEngine, make: Any) -> None:
    case = make()
    await file(engine, case)
    assert await load(engine, case.case_id) == {str(case.case_id): case}
    other = full()
    # what never changes after the first event keeps what it was
    changed = other._replace(
        case_id=case.case_id, profile=case.profile, misconduct=case.misconduct, secret=case.secret, submitted_at=case.submitted_at
    )
    await save(engine, changed)
    assert await load(engine, case.case_id) == {str(case.case_id): changed}


async def test_a_whole_batch_of_new_and_known_cases_in_one_go(engine: AsyncEngine) -> None:
    known, new = [a_case() for _ in range(150)], [a_case(title=f"Laporan {n}") for n in range(150)]
    await file(engine, *known)
    changed = [case._replace(state=CaseState.AT_AGENCY, owner=Service.DISPATCH, agency=f"kota-{n}") for n, case in enumerate(known)]
    async with engine.begin() as connection:
        await STORE.save(connection, [*changed, *new], [FiledReport(case.case_id, a_report()) for case in new])
    found = await load(engine, *(case.case_id for case in (*known, *new)))
    assert found == {str(case.case_id): case for case in (*changed, *new)}


async def test_a_report_that_comes_again_does_not_replace_the_first(engine: AsyncEngine, reader: QueueReader) -> None:
    """After a restore the same case is filed anew: its state is what the topic says, its text what was submitted."""
    case = a_case()
    await file(engine, case, title="yang pertama")
    again = case._replace(version=4, bounces=1)
    await file(engine, again, title="yang kedua")
    assert await load(engine, case.case_id) == {str(case.case_id): again}
    filed = await reader.case(case.case_id)
    assert filed is not None
    assert (filed.report.title, filed.case) == ("yang pertama", again)


async def test_keys_that_are_no_case_and_cases_that_are_not_there(engine: AsyncEngine) -> None:
    case = a_case()
    await file(engine, case)
    assert await load(engine, "", "no case", "'; DROP TABLE case_file", uuid4(), case.case_id) == {str(case.case_id): case}
    assert await load(engine, "no case") == {}
    with pytest.raises(TypeError, match="not int"):
        async with engine.begin() as connection:
            await STORE.save(connection, [], [7])


async def test_a_second_replica_waits_for_the_first_and_sees_what_it_did(engine: AsyncEngine) -> None:
    case = a_case()
    await file(engine, case)
    async with engine.begin() as first:
        [mine] = (await STORE.load(first, [str(case.case_id)])).values()
        second = asyncio.create_task(load(engine, case.case_id))

        async def waits() -> bool:
            async with engine.connect() as other:
                return bool(await other.scalar(_WAITING))

        await until(waits, "the second waits for the row", 60)
        assert not second.done()
        await STORE.save(first, [mine._replace(version=2)], ())
    [theirs] = (await second).values()
    assert theirs.version == 2


async def test_two_replicas_with_the_same_cases_in_another_order_do_not_block_each_other_for_ever(engine: AsyncEngine) -> None:
    cases = [a_case() for _ in range(50)]
    await file(engine, *cases)
    keys = [str(case.case_id) for case in cases]

    async def once(order: list[str]) -> None:
        async with engine.begin() as connection:
            found = await STORE.load(connection, order)
            await STORE.save(connection, [case._replace(version=case.version + 1) for case in found.values()], ())

    async with asyncio.timeout(120):
        await asyncio.gather(*(once(keys if n % 2 else keys[::-1]) for n in range(8)))
    assert {case.version for case in (await load(engine, *keys)).values()} == {9}


async def test_two_replicas_that_file_the_same_case_at_once(engine: AsyncEngine) -> None:
    case = a_case()
    async with asyncio.timeout(120):
        await asyncio.gather(*(file(engine, case._replace(version=n)) for n in (1, 2)))
    [found] = (await load(engine, case.case_id)).values()
    assert found.version in (1, 2)


async def test_a_row_of_the_first_release_is_read(engine: AsyncEngine, reader: QueueReader) -> None:
    """Only what its migration demanded, and a report with none of the fields that came later."""
    case_id = uuid4()
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO case_file (case_id, version, state, owner, topic_owner, topic_version, profile, classification, title, "
                "misconduct, secret, submitted_at, queued_as, waiting_since, bounces, arbitration) VALUES (:id, 2, 'received', 'triage', "
                "'triage', 1, 'permenpan-62-2018', 'complaint', 'Lampu', false, false, :at, :at, :at, 0, false)"
            ),
            {"id": case_id, "at": NOON},
        )
        old = a_report().model_dump_json(exclude_defaults=True)
        await connection.execute(
            text("INSERT INTO report (case_id, content) VALUES (:id, CAST(:old AS jsonb))"), {"id": case_id, "old": old}
        )
    [case] = (await load(engine, case_id)).values()
    assert (case.state, case.agency, case.archive_reason, case.duplicate_of) == (CaseState.RECEIVED, None, None, None)
    filed = await reader.case(case_id)
    assert filed is not None
    assert filed.report == a_report()


async def test_a_state_of_a_later_release_is_an_error_that_names_it(engine: AsyncEngine) -> None:
    case = a_case()
    await file(engine, case)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE case_file SET state = 'mediated' WHERE case_id = :id"), {"id": case.case_id})
    with pytest.raises(ValueError, match="mediated"):
        await load(engine, case.case_id)


async def test_the_queue_is_read_page_by_page_in_its_order(engine: AsyncEngine, reader: QueueReader) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE case_file, report"))
    waiting = [a_case(queued_as=NOON + timedelta(hours=n % 3), category="health.hospitals" if n % 2 else "healthcare") for n in range(9)]
    gone = [a_case(owner=Service.DISPATCH), a_case(state=CaseState.ARCHIVED)]
    await file(engine, *waiting, *gone)
    found: list[UUID] = []
    after: QueuePosition | None = None
    while page := await reader.page(QueueFilter(), after, 2):
        found += [filed.case.case_id for filed in page]
        assert page[-1].case.queued_as is not None
        after = QueuePosition(page[-1].case.queued_as, page[-1].case.case_id)
    assert found == [c.case_id for c in sorted(waiting, key=lambda c: (c.queued_as or NOON, c.case_id))]
    below = await reader.page(QueueFilter(category="health"), None, 100)
    assert {filed.case.category for filed in below} == {"health.hospitals"}, "healthcare is not below health"
    size = await reader.size()
    assert (size.verification, size.arbitration, size.oldest) == (9, 0, NOON)


async def test_the_register_is_kept_and_read_by_another_replica(engine: AsyncEngine, url: str) -> None:
    mine, theirs = RegisterCopy(), RegisterCopy()
    one, other = an_agency("kota-bandung", region_code="32.73"), an_agency("kemenkes", sectors=("health", "social-security"), enabled=False)
    async with engine.begin() as connection:
        await AgencyStore(mine).save(connection, [one, other], ())
        assert await AgencyStore(mine).load(connection, ["kemenkes", "nobody"]) == {"kemenkes": other}
    settings = Settings.model_validate(
        {"environment": "test", "kafka": "127.0.0.1:1", "database_url": url, "oidc_issuer": "http://127.0.0.1:1", "name_keys": NAME_KEY}
    )
    database = Database(settings, "triage")
    try:
        await theirs.reload(database)
    finally:
        await database.close()
    assert (mine.get("kota-bandung"), theirs.get("kota-bandung"), theirs.get("kemenkes")) == (one, one, other)
    theirs.put([replace(one, enabled=False, as_of=one.as_of - timedelta(seconds=1))])
    assert theirs.get("kota-bandung") == one, "an older entry replaces no newer one"
