"""One transaction for all that wait, on a real database: few commits, each item with its own outcome, and nobody left waiting."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.http.group_commit import GroupCommit
from tuntas_chassis.service import ServiceApp

INSERT = text("INSERT INTO note SELECT unnest(CAST(:remarks AS text[])) RETURNING remark")


async def _write(connection: AsyncConnection, items: Sequence[str], _now: datetime) -> Sequence[str]:
    return list((await connection.execute(INSERT, {"remarks": list(items)})).scalars())


def _group(app: ServiceApp, write: Callable[..., object] = _write) -> GroupCommit[AsyncConnection, str, str]:
    return GroupCommit(app.database.begin_now, app.outbox, app.clock, write, max_items=100)  # type: ignore[arg-type]


async def _rows(app: ServiceApp) -> tuple[set[str], int]:
    """What is stored, and in how many transactions it was written."""
    async with app.database.connect() as connection:
        rows = (await connection.execute(text("SELECT remark, xmin::text AS written_by FROM note"))).all()
    return {row.remark for row in rows}, len({row.written_by for row in rows})


async def test_parallel_submissions_share_few_transactions_and_each_gets_its_own_result(app: ServiceApp) -> None:
    group = _group(app)
    items = [f"item {n}" for n in range(500)]
    assert await asyncio.gather(*(group.submit(item) for item in items)) == items
    stored, transactions = await _rows(app)
    assert stored == set(items)
    assert transactions <= 6, "500 items at 100 a transaction, and perhaps one alone at the start"


async def test_an_item_that_the_database_refuses_fails_alone(app: ServiceApp) -> None:
    group = _group(app)
    items = [f"item {n}" for n in range(30)] + ["a NUL \x00 in it"]
    results = await asyncio.gather(*(group.submit(item) for item in items), return_exceptions=True)
    assert results[:30] == items[:30]
    assert isinstance(results[30], DBAPIError)
    assert (await _rows(app))[0] == set(items[:30])
    assert await group.submit("and the next one") == "and the next one"


async def test_the_error_of_a_refused_item_holds_none_of_its_data(app: ServiceApp) -> None:
    with pytest.raises(DBAPIError) as refusal:
        await _group(app).submit("Siti Nurhaliza \x00")
    assert "Siti" not in str(refusal.value)


async def test_a_caller_that_gives_up_does_not_affect_the_others(app: ServiceApp) -> None:
    group = _group(app)
    waiting = [asyncio.create_task(group.submit(f"item {n}")) for n in range(20)]
    await asyncio.sleep(0)
    waiting[3].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, BaseException)] == [3]


async def test_a_write_that_forgets_a_result_is_an_error_for_all_and_stores_nothing(app: ServiceApp) -> None:
    async def forgetful(connection: AsyncConnection, items: Sequence[str], now: datetime) -> Sequence[str]:
        return (await _write(connection, items, now))[:-1]

    async with asyncio.timeout(20):
        group = _group(app, forgetful)
        results = await asyncio.gather(*(group.submit(f"item {n}") for n in range(10)), return_exceptions=True)
    assert {type(result) for result in results} == {RuntimeError}
    assert (await _rows(app))[0] == set()


async def test_the_business_time_is_read_inside_the_transaction(app: ServiceApp) -> None:
    """The relay's marks go by the age of open transactions: a time read before its transaction began could fall behind one."""
    seen: list[bool] = []

    async def looking(connection: AsyncConnection, items: Sequence[str], now: datetime) -> Sequence[str]:
        seen.append(
            await connection.scalar(text("SELECT xact_start <= :now FROM pg_stat_activity WHERE pid = pg_backend_pid()"), {"now": now})
        )
        return items

    group = _group(app, looking)
    for n in range(5):
        await group.submit(f"item {n}")
    assert seen == [True] * 5


async def test_during_a_restart_of_the_database_every_caller_gets_a_commit_or_an_error(app: ServiceApp, servers: Servers) -> None:
    group = _group(app)
    committed: set[str] = set()
    failed: set[str] = set()
    stopping = asyncio.Event()

    async def submit_on_and_on(who: int) -> None:
        n = 0
        while not stopping.is_set():
            n += 1
            item = f"{who}/{n}"
            try:
                committed.add(await group.submit(item))
            except Exception:
                failed.add(item)
                await asyncio.sleep(0.02)

    callers = [asyncio.create_task(submit_on_and_on(who)) for who in range(30)]

    async def some_committed() -> bool:
        return len(committed) > 100

    await until(some_committed, "work is under way")
    await asyncio.to_thread(servers.kill, "postgres")
    await asyncio.to_thread(servers.restart, "postgres")
    before = len(committed)

    async def continues() -> bool:
        return len(committed) > before + 100

    await until(continues, "commits continue after the restart")
    stopping.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*callers)
    stored, _ = await _rows(app)
    assert failed, "the restart was felt"
    assert committed <= stored, "what was reported as committed is there"
    assert stored <= committed | failed


async def test_a_group_ends_with_the_item_that_fills_its_bytes(app: ServiceApp) -> None:
    group: GroupCommit[AsyncConnection, str, str] = GroupCommit(
        app.database.begin_now, app.outbox, app.clock, _write, max_bytes=1_000, size_of=len
    )
    items = [f"{n:04}" + "x" * 496 for n in range(20)]
    assert await asyncio.gather(*(group.submit(item) for item in items)) == items
    stored, transactions = await _rows(app)
    assert stored == set(items)
    assert transactions >= 10, "two items of 500 bytes in one transaction at most"
