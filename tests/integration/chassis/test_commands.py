"""Commands over HTTP that wait together share a transaction, and none feels the others."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from tests.support.counting import Summed, Tally, TallyStore
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.http.retry_keys import RetryKey
from tuntas_chassis.messaging.messages import Outcome, Outgoing
from tuntas_chassis.service import ServiceApp

TOPIC = "never-sent"


class Body(BaseModel):
    """A command's body."""

    text: str


class Refused(Exception):
    """What a command may answer."""


def _executor(app: ServiceApp) -> CommandExecutor[Tally]:
    return CommandExecutor(TallyStore(), app.tables, app.outbox, app.clock, lambda: True)


def _add(key: str, amount: int = 1, remark: str = "") -> Callable[[Tally | None, datetime], Outcome[Tally]]:
    def decide(state: Tally | None, now: datetime) -> Outcome[Tally]:
        if amount < 0:
            raise Refused
        before = state or Tally(key)
        after = Tally(key, before.total + amount, before.steps + 1)
        message = Outgoing(TOPIC, key, Summed(total=after.total, steps=after.steps), now)
        return Outcome(after, (message,), (remark,) if remark else ())

    return decide


async def _column(app: ServiceApp, sql: str) -> list[object]:
    async with app.database.connect() as connection:
        return list((await connection.execute(text(sql))).scalars())


async def test_commands_that_wait_share_few_transactions_and_are_published_in_order(app: ServiceApp) -> None:
    executor = _executor(app)
    done = await asyncio.gather(*(executor.execute(f"k{n % 50}", _add(f"k{n % 50}")) for n in range(400)))
    assert [state.total for state in done if state] == [n // 50 + 1 for n in range(400)]
    assert len(set(await _column(app, "SELECT xmin::text FROM outbox"))) <= 10
    totals = await _column(app, "SELECT convert_from(value, 'UTF8')::json->>'total' FROM outbox WHERE key = 'k7' ORDER BY id")
    assert totals == [str(n) for n in range(1, 9)]


async def test_one_that_is_refused_fails_alone_and_may_be_sent_again_under_its_id(app: ServiceApp) -> None:
    executor, command = _executor(app), uuid4()
    found = await asyncio.gather(
        executor.execute("a", _add("a")),
        executor.execute("b", _add("b", -1), command_id=command),
        executor.execute("c", _add("c")),
        return_exceptions=True,
    )
    assert isinstance(found[1], Refused)
    assert await _column(app, "SELECT key FROM tally ORDER BY key") == ["a", "c"]
    assert await executor.execute("b", _add("b"), command_id=command) == Tally("b", 1, 1)


async def test_one_id_has_one_effect_in_one_group_and_over_two_replicas(app: ServiceApp) -> None:
    one, other, command = _executor(app), _executor(app), uuid4()
    await one.execute("a", _add("a"))
    done = await asyncio.gather(*(p.execute("a", _add("a", 10), command_id=command) for p in (one, other) for _ in range(20)))
    assert done == [Tally("a", 11, 2)] * 40
    assert await _column(app, "SELECT count(*) FROM outbox") == [2]


def _key(body: str, key: UUID = UUID(int=1)) -> RetryKey:
    command = RetryKey.of(key, "officer-1", "answer", UUID(int=2), Body(text=body))
    assert command is not None
    return command


async def test_a_key_that_is_used_again_with_another_body_is_refused_and_with_the_same_changes_nothing(app: ServiceApp) -> None:
    one, other = _executor(app), _executor(app)
    first = await one.execute("a", _add("a"), retry_key=_key("selesai"))
    assert await other.execute("a", _add("a"), retry_key=_key("selesai")) == first
    with pytest.raises(Problem) as refused:
        await other.execute("a", _add("a"), retry_key=_key("lain"))
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert await _column(app, "SELECT total FROM tally") == [1]


async def test_of_two_bodies_under_one_key_at_once_one_is_carried_out(app: ServiceApp) -> None:
    processors = _executor(app), _executor(app)
    await processors[0].execute("a", _add("a"))
    sent = [p.execute("a", _add("a"), retry_key=_key(body)) for _ in range(10) for p in processors for body in ("selesai", "lain")]
    found = await asyncio.gather(*sent, return_exceptions=True)
    assert sum(isinstance(one, Tally) for one in found) == sum(isinstance(one, Problem) for one in found) == 20
    assert await _column(app, "SELECT total FROM tally") == [2]


async def test_a_key_whose_command_was_refused_is_free_for_another(app: ServiceApp) -> None:
    executor = _executor(app)
    with pytest.raises(Refused):
        await executor.execute("a", _add("a", -1), retry_key=_key("salah"))
    assert await executor.execute("a", _add("a"), retry_key=_key("benar")) == Tally("a", 1, 1)


def test_a_key_counts_for_one_officer_command_and_case() -> None:
    body, key = Body(text="selesai"), UUID(int=1)
    uses = [("officer-1", "answer", 2), ("officer-2", "answer", 2), ("officer-1", "follow-up", 2), ("officer-1", "answer", 3)]
    made = {RetryKey.of(key, subject, command, UUID(int=case), body) for subject, command, case in uses}
    assert len(made) == len(uses)
    assert RetryKey.of(None, "officer-1", "answer", UUID(int=2), body) is None


async def test_one_that_the_database_refuses_fails_alone(app: ServiceApp) -> None:
    executor = _executor(app)
    found = await asyncio.gather(
        *(executor.execute(key, _add(key, remark=remark)) for key, remark in (("a", ""), ("b", "\x00"), ("c", ""))), return_exceptions=True
    )
    assert [isinstance(one, Tally) for one in found] == [True, False, True]
    assert await _column(app, "SELECT key FROM tally ORDER BY key") == ["a", "c"]
