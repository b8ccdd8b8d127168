"""Dispatch's SQL of cases on a real PostgreSQL: what is saved is loaded again, whoever else is at work, whatever release wrote it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.adapters.case_queries import CaseQueries
from dispatch.adapters.open_cases import OpenCases
from dispatch.adapters.store import CaseStore
from dispatch.application.handlers import CaseReport
from dispatch.domain.case import Case
from dispatch.metrics import METRICS
from dispatch.settings import Settings
from tests.support.names import NAME_KEY
from tests.support.waiting import until
from tests.unit.dispatch.builders import BEKASI, BOGOR, NOON, a_case, a_report
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet
from tuntas_contracts.vocabulary import CaseState, Classification, Service, ServiceClass

STORE = CaseStore()
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


def full() -> Case:
    """A case of which every field holds something."""
    return Case(
        case_id=uuid4(),
        version=2_147_483_647,
        state=CaseState.CLOSED,
        owner=Service.DISPATCH,
        topic_owner=Service.TRIAGE,
        agency=BOGOR,
        time_zone="Asia/Jayapura",
        profile="permenpan-62-2018",
        classification=Classification.INFORMATION,
        secret=True,
        anonymous=True,
        bounces=2,
        arbitrated=True,
        last_event_at=datetime(2026, 3, 4, 5, 0, 0, 123_456, UTC),
        unit="dinas-'pu' {\"\\}",
        service_class=ServiceClass.NORMATIVE,
        completion_limit=14,
        answers=3,
        answered_at=datetime(2026, 3, 4, 5, 0, 0, 1, UTC),
        supplements=2,
        closed_reason="satisfied",
        closed_at=NOON,
        name_fingerprints=bytes(range(240, 256)),
    )


async def save(engine: AsyncEngine, *cases: Case, **report: Any) -> None:
    """Cases with their reports, where fields of one are given."""
    report_json = a_report(**report).model_dump_json()
    async with engine.begin() as connection:
        await STORE.save(connection, cases, [CaseReport(case.case_id, report_json) for case in cases] if report else ())


async def load(engine: AsyncEngine, *ids: UUID) -> dict[str, Case]:
    """What another transaction reads."""
    async with engine.begin() as connection:
        return await STORE.load(connection, [str(case_id) for case_id in ids])


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Database]:
    """Dispatch's own connections."""
    settings = Settings.model_validate(
        {"environment": "test", "kafka": "127.0.0.1:1", "database_url": url, "oidc_issuer": "http://127.0.0.1:1", "name_keys": NAME_KEY}
    )
    made = Database(settings, "dispatch")
    yield made
    await made.close()


def test_the_full_case_leaves_nothing_out() -> None:
    assert [name for name, value in full()._asdict().items() if value is None] == []


@pytest.mark.parametrize("make", [a_case, full])
async def test_a_new_and_a_changed_case_are_loaded_as_they_were_saved(engine: AsyncEngine, make: Any) -> None:
    case = make()
    await save(engine, case)
    assert await load(engine, case.case_id) == {str(case.case_id): case}
    changed = full()._replace(case_id=case.case_id)
    await save(engine, changed)
    assert await load(engine, case.case_id) == {str(case.case_id): changed}
    emptied = a_case()._replace(case_id=case.case_id)
    await save(engine, emptied)
    assert await load(engine, case.case_id) == {str(case.case_id): emptied}


async def test_a_whole_batch_of_new_and_known_cases_in_one_go(engine: AsyncEngine) -> None:
    known, new = [a_case() for _ in range(150)], [a_case() for _ in range(150)]
    await save(engine, *known)
    changed = [case._replace(unit=f"unit-{n}", version=3) for n, case in enumerate(known)]
    await save(engine, *changed, *new)
    found = await load(engine, *(case.case_id for case in (*known, *new)))
    assert found == {str(case.case_id): case for case in (*changed, *new)}


async def test_the_last_report_of_a_case_counts(engine: AsyncEngine, pool: Database) -> None:
    """A case that was returned and is forwarded again brings its report again, perhaps reclassified."""
    case = a_case()
    await save(engine, case, title="yang pertama")
    reports = [CaseReport(case.case_id, a_report(title=title).model_dump_json()) for title in ("yang kedua", "yang ketiga")]
    async with engine.begin() as connection:
        await STORE.save(connection, [], reports)
    stored = await CaseQueries(pool).find(case.case_id)
    assert stored is not None
    assert (stored.report.title, stored.case) == ("yang ketiga", case)


async def test_what_the_database_refuses_leaves_nothing_behind(engine: AsyncEngine) -> None:
    sound, broken = a_case(), a_case()._replace(agency="\x00")
    with pytest.raises(DBAPIError):
        await save(engine, sound, broken)
    assert await load(engine, sound.case_id, uuid4()) == {}


async def test_a_second_replica_waits_for_the_first_and_sees_what_it_did(engine: AsyncEngine) -> None:
    case = a_case()
    await save(engine, case)
    async with engine.begin() as first:
        [mine] = (await STORE.load(first, [str(case.case_id)])).values()
        second = asyncio.create_task(load(engine, case.case_id))

        async def waits() -> bool:
            async with engine.connect() as other:
                return bool(await other.scalar(_WAITING))

        await until(waits, "the second waits for the row", 60)
        assert not second.done()
        await STORE.save(first, [mine._replace(version=9)], ())
    [theirs] = (await second).values()
    assert theirs.version == 9


async def test_two_replicas_with_the_same_cases_in_another_order_do_not_block_each_other_for_ever(engine: AsyncEngine) -> None:
    cases = [a_case()._replace(version=1) for _ in range(50)]
    await save(engine, *cases)
    ids = [case.case_id for case in cases]

    async def once(order: list[UUID]) -> None:
        async with engine.begin() as connection:
            found = await STORE.load(connection, [str(case_id) for case_id in order])
            await STORE.save(connection, [case._replace(version=case.version + 1) for case in found.values()], ())

    async with asyncio.timeout(120):
        await asyncio.gather(*(once(ids if n % 2 else ids[::-1]) for n in range(8)))
    assert {case.version for case in (await load(engine, *ids)).values()} == {9}


async def test_two_replicas_that_take_in_the_same_case_at_once(engine: AsyncEngine) -> None:
    case = a_case()
    async with asyncio.timeout(120):
        await asyncio.gather(*(save(engine, case._replace(version=n), title="laporan") for n in (2, 3)))
    [found] = (await load(engine, case.case_id)).values()
    assert found.version in (2, 3)


async def test_a_row_of_the_first_release_is_read(engine: AsyncEngine, pool: Database) -> None:
    """Only what its migration demanded, and a report with none of the fields that came later."""
    case_id = uuid4()
    async with engine.begin() as connection:
        await connection.execute(
            text(
                'INSERT INTO "case" (id, version, state, owner, topic_owner, agency, time_zone, profile, classification, secret, '
                "anonymous, bounces, arbitrated, last_event_at, answers) VALUES (:id, 2, 'at_agency', 'dispatch', 'dispatch', :agency, "
                "'Asia/Jakarta', 'permenpan-62-2018', 'complaint', false, false, 0, false, :at, 0)"
            ),
            {"id": case_id, "agency": BOGOR, "at": NOON},
        )
        old = a_report().model_dump_json(exclude_defaults=True)
        await connection.execute(
            text("INSERT INTO case_report (case_id, report) VALUES (:id, CAST(:old AS json))"), {"id": case_id, "old": old}
        )
    [case] = (await load(engine, case_id)).values()
    assert (case.state, case.supplements, case.unit, case.closed_at) == (CaseState.AT_AGENCY, 0, None, None)
    stored = await CaseQueries(pool).find(case_id)
    assert stored is not None
    assert stored.report == a_report()


async def test_a_state_of_a_later_release_is_an_error_that_names_it(engine: AsyncEngine) -> None:
    case = a_case()
    await save(engine, case)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE \"case\" SET state = 'mediated' WHERE id = :id"), {"id": case.case_id})
    with pytest.raises(ValueError, match="mediated"):
        await load(engine, case.case_id)


async def test_an_agency_s_cases_are_read_page_by_page_and_counted(engine: AsyncEngine, pool: Database) -> None:
    async with engine.begin() as connection:
        await connection.execute(text('TRUNCATE "case", case_report, agency'))
        await connection.execute(
            text(
                "INSERT INTO agency (code, name, kind, time_zone, email, sectors, units, enabled, changed_at) VALUES "
                "(:code, 'Kabupaten Bogor', 'regency', 'Asia/Jakarta', 'aduan@bogor.example', '{}', '[]', true, now())"
            ),
            {"code": BOGOR},
        )
    states = (CaseState.AT_AGENCY, CaseState.IN_PROGRESS, CaseState.CLOSED)
    ours = [a_case()._replace(state=states[n % 3], last_event_at=NOON + timedelta(hours=n)) for n in range(9)]
    theirs = [a_case()._replace(agency=BEKASI) for _ in range(3)]
    await save(engine, *ours, *theirs, title="laporan")
    queries = CaseQueries(pool)
    found: list[UUID] = []
    after: tuple[str, UUID] | None = None
    while page := await queries.page(BOGOR, None, after, 2):
        found += [stored.case.case_id for stored in page]
        after = (page[-1].case.state.value, page[-1].case.case_id)
    assert found == [case.case_id for case in sorted(ours, key=lambda case: (case.state.value, case.case_id))]
    closed = await queries.page(BOGOR, CaseState.CLOSED, None, 100)
    assert {stored.case.case_id for stored in closed} == {case.case_id for case in ours if case.state is CaseState.CLOSED}
    counted = await OpenCases(pool, MetricSet((*CHASSIS_METRICS, *METRICS))).count()
    assert counted == {(BOGOR, "at_agency"): 3, (BOGOR, "in_progress"): 3}
