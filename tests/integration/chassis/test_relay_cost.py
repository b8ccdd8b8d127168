"""What a look of the relay costs while a hundred thousand messages wait for a topic that refuses them: what it cost before."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.support.plans import EXPLAIN, Plan
from tuntas_chassis.messaging.outbox_rows import _HEADS, _READ_ALL, _READ_SET_ASIDE, _READ_SHARDS, READ_BYTES
from tuntas_chassis.service import ServiceApp

BLOCKED = 100_000
TO_SEND = 200
SHARDS = [0, 1, 2, 3]
BATCH = 2_000
LOOKS: dict[str, tuple[str, list[Any]]] = {
    "all shards": (_READ_ALL, [BATCH, READ_BYTES]),
    "our shards": (_READ_SHARDS, [BATCH, READ_BYTES, SHARDS]),
}
_ROWS = (
    "INSERT INTO {table} (id, shard, topic, key, message_id, type, time, traceparent, written_at, value) {overriding} "
    "SELECT n, n % 4, :topic, 'k' || n, gen_random_uuid(), 'Summed', now(), '', now(), decode(repeat('ab', 300), 'hex') "
    "FROM generate_series(CAST(:first AS bigint), :last) AS n"
)


async def _fill(app: ServiceApp, table: str, topic: str, first: int, number: int) -> None:
    statement = _ROWS.format(table=table, overriding="OVERRIDING SYSTEM VALUE" if table == "outbox" else "")
    async with app.database.begin() as connection:
        await connection.execute(text(statement), {"topic": topic, "first": first, "last": first + number - 1})
    raw = await app.database.raw("tests")
    try:
        await raw.execute(f"VACUUM ANALYZE {table}")
    finally:
        await raw.close()


async def _plan(app: ServiceApp, statement: str, arguments: list[Any]) -> Plan:
    raw = await app.database.raw("tests")
    try:
        return Plan.of(await raw.fetchval(EXPLAIN + statement, *arguments))
    finally:
        await raw.close()


@pytest.fixture
async def blocked(app: ServiceApp) -> ServiceApp:
    """A few messages to send, and very many that wait beside the outbox."""
    async with app.database.begin() as connection:
        await connection.execute(text("TRUNCATE outbox_set_aside"))
    await _fill(app, "outbox", "sound", 1, TO_SEND)
    return app


async def test_a_read_of_the_outbox_costs_only_what_there_is_to_send(blocked: ServiceApp) -> None:
    before = {name: (await _plan(blocked, *look)).pages for name, look in LOOKS.items()}
    await _fill(blocked, "outbox_set_aside", "blocked", 1_000, BLOCKED)
    for name, look in LOOKS.items():
        plan = await _plan(blocked, *look)
        assert plan.tables == {"outbox"}, name
        assert plan.rows_of("outbox") == TO_SEND, name
        assert plan.pages <= before[name] + 10, name


async def test_a_try_of_a_blocked_topic_reads_its_oldest_messages_and_no_more(blocked: ServiceApp) -> None:
    await _fill(blocked, "outbox_set_aside", "blocked", 1_000, BLOCKED)
    topics = ["blocked"] * len(SHARDS)
    heads = await _plan(blocked, _HEADS, [[0] * len(SHARDS), topics, SHARDS])
    assert not heads.scans_whole("outbox_set_aside")
    assert heads.rows_of("outbox_set_aside") <= 2 * len(SHARDS)
    assert heads.pages < 100
    waiting = await _plan(blocked, _READ_SET_ASIDE, [100, READ_BYTES, topics, SHARDS])
    assert not waiting.scans_whole("outbox_set_aside")
    assert waiting.rows_of("outbox_set_aside") <= 100 * len(SHARDS)
