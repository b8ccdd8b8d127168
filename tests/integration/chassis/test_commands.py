"""Commands over HTTP that wait together share a transaction, and none feels the others."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from sqlalchemy import text

from tests.support.counting import Summed, Tally, TallyStore
from tuntas_chassis.messages import Outcome, Outgoing
from tuntas_chassis.processor import Processor
from tuntas_chassis.service import ServiceApp

TOPIC = "never-sent"


class Refused(Exception):
    """What a command may answer."""


def _processor(app: ServiceApp) -> Processor[Tally]:
    return Processor(TallyStore(), app.database, app.outbox, app.clock, lambda: True)


def _add(key: str, amount: int = 1, remark: str = "") -> Callable[[Tally | None, datetime], Outcome[Tally]]:
    def decide(state: Tally | None, now: datetime) -> Outcome[Tally]:
        if amount < 0:
            raise Refused
        before = state or Tally(key)
        after = Tally(key, before.total + amount, before.steps + 1)
        told = Outgoing(TOPIC, key, Summed(total=after.total, steps=after.steps), now)
        return Outcome(after, (told,), (remark,) if remark else ())

    return decide


async def _column(app: ServiceApp, sql: str) -> list[object]:
    async with app.database.connect() as connection:
        return list((await connection.execute(text(sql))).scalars())


async def test_commands_that_wait_share_few_transactions_and_each_is_told_in_order(app: ServiceApp) -> None:
    processor = _processor(app)
    done = await asyncio.gather(*(processor.execute(f"k{n % 50}", _add(f"k{n % 50}")) for n in range(400)))
    assert [state.total for state in done if state] == [n // 50 + 1 for n in range(400)]
    assert len(set(await _column(app, "SELECT xmin::text FROM outbox"))) <= 10
    told = await _column(app, "SELECT convert_from(value, 'UTF8')::json->>'total' FROM outbox WHERE key = 'k7' ORDER BY id")
    assert told == [str(n) for n in range(1, 9)]


async def test_one_that_is_refused_fails_alone_and_may_be_sent_again_under_its_id(app: ServiceApp) -> None:
    processor, command = _processor(app), uuid4()
    found = await asyncio.gather(
        processor.execute("a", _add("a")),
        processor.execute("b", _add("b", -1), command_id=command),
        processor.execute("c", _add("c")),
        return_exceptions=True,
    )
    assert isinstance(found[1], Refused)
    assert await _column(app, "SELECT key FROM tally ORDER BY key") == ["a", "c"]
    assert await processor.execute("b", _add("b"), command_id=command) == Tally("b", 1, 1)


async def test_one_id_has_one_effect_in_one_group_and_over_two_replicas(app: ServiceApp) -> None:
    one, other, command = _processor(app), _processor(app), uuid4()
    await one.execute("a", _add("a"))
    done = await asyncio.gather(*(p.execute("a", _add("a", 10), command_id=command) for p in (one, other) for _ in range(20)))
    assert done == [Tally("a", 11, 2)] * 40
    assert await _column(app, "SELECT count(*) FROM outbox") == [2]


async def test_one_that_the_database_refuses_fails_alone(app: ServiceApp) -> None:
    processor = _processor(app)
    found = await asyncio.gather(
        *(processor.execute(key, _add(key, remark=remark)) for key, remark in (("a", ""), ("b", "\x00"), ("c", ""))), return_exceptions=True
    )
    assert [isinstance(one, Tally) for one in found] == [True, False, True]
    assert await _column(app, "SELECT key FROM tally ORDER BY key") == ["a", "c"]
