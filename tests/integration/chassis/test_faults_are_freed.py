"""A fault that was answered or parked leaves nothing behind that only a full garbage collection would free."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.support.counting import Added, Tally, TallyStore, apply_to
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.waiting import until
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.messages import Outcome
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.envelope import Envelope

FAULTS = 200
SPARED = 10
"""Those of the last batch may be at hand still, and the client library keeps a few of its own."""


def _alive() -> Counter[str]:
    """Every exception that exists, by its type."""
    return Counter(type(found).__name__ for found in gc.get_objects() if issubclass(type(found), BaseException))


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Fails where what is done inside leaves exceptions to the collector."""
    gc.collect()
    before = _alive()
    gc.disable()
    try:
        yield
        left = _alive() - before
    finally:
        gc.enable()
    assert left.total() <= SPARED, f"left to the collector: {left}"


def _record(number: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    return f"key-{number}".encode(), b"<laporan>", Envelope(new_id(), "tests", "Added", f"key-{number}", A_MONDAY).headers()


class Answering(Delivery):
    """The counting service, which refuses what it can't read or do instead of parking it."""

    def app(self) -> ServiceApp:
        app = ServiceApp("counting", self.settings(), package="tests.support.counting")
        options: dict[str, Any] = {"types": [Added], "store": TallyStore(), "apply": apply_to(self.outputs)}
        app.subscribe(Subscription(name="in", topics=[self.inputs], refuse=lambda _record, _fault: None, writer_of=str, **options))
        return app


@pytest.mark.parametrize("refuses", [True, False], ids=["refused", "parked"])
async def test_records_that_a_consumer_cannot_read(make: Callable[..., Delivery], *, refuses: bool) -> None:
    made = make(partitions=1)
    delivery = Answering(made.servers, made.database_url, made.inputs, made.outputs, 1, running=made.running) if refuses else made
    await delivery.start()

    async def handled(number: int) -> None:
        async def are() -> bool:
            return (await delivery.totals()).get("behind", (0, 0)) == (number, number)

        await until(are, "what follows them is handled", 60)

    await delivery.feed([("behind", Added(amount=1))])
    await handled(1)
    async with nothing_left():
        await delivery.feed_raw([_record(number) for number in range(FAULTS)])
        await delivery.feed([("behind", Added(amount=1))])
        await handled(2)


async def test_commands_that_are_refused(app: ServiceApp) -> None:
    executor = CommandExecutor(TallyStore(), app.tables, app.outbox, app.clock, lambda: True)

    def decide(_state: Tally | None, _now: datetime) -> Outcome[Tally]:
        raise Problem(409, "Refused", "it is not to be", "refused")

    def accept(_state: Tally | None, _now: datetime) -> Outcome[Tally]:
        return Outcome(Tally("last", 1, 1))

    async def refused(number: int) -> bool:
        try:
            await executor.execute(f"key-{number}", decide)
        except Problem:
            return True
        return False

    async with nothing_left():
        for at in range(0, FAULTS, 50):
            assert all(await asyncio.gather(*(refused(number) for number in range(at, at + 50))))
        await executor.execute("last", accept)  # the group before it is released
