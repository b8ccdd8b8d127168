"""The loop: at once when woken, not faster than allowed, patient with faults, ended when asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from notifier.application.sender import Pass
from notifier.application.sending_loop import SendingLoop
from notifier.metrics import METRICS, PAUSED
from tuntas_chassis.telemetry.metrics import MetricSet


class FakeSender:
    """Has `waiting` deliveries to reporters, and does what `script` says first."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting
        self.calls: list[tuple[int, bool]] = []
        self.sent_at: list[float] = []
        self.script: list[Pass | Exception] = []

    async def send_due(self, limit: int, stopping: asyncio.Event, *, reporters: bool = True) -> Pass:
        """One batch."""
        self.calls.append((limit, reporters))
        if self.script:
            done = self.script.pop(0)
            if isinstance(done, Exception):
                raise done
            return done
        taken = min(limit, self.waiting) if reporters else 0
        self.waiting -= taken
        self.sent_at += [monotonic()] * taken
        return Pass(taken)


@asynccontextmanager
async def running(sender: Any, metrics: MetricSet | None = None, rate: float = 10_000, batch: int = 100) -> AsyncIterator[SendingLoop]:
    loop = SendingLoop(sender, metrics or MetricSet(METRICS), rate=rate, batch=batch)
    stopping = asyncio.Event()
    task = asyncio.create_task(loop.run(stopping))
    try:
        yield loop
    finally:
        stopping.set()
        await asyncio.wait_for(task, 5)


async def until(condition: Callable[[], bool], within_s: float = 5) -> None:
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.005)


async def test_what_is_queued_is_sent_soon_after_the_wake() -> None:
    sender = FakeSender()
    async with running(sender) as loop:
        await until(lambda: len(sender.calls) >= 5)  # idle by now: it looks once a second
        sender.waiting = 3
        woken = monotonic()
        loop.wake()
        await until(lambda: sender.waiting == 0)
        assert sender.sent_at[0] - woken < 0.5


async def test_a_backlog_goes_out_in_full_batches_and_no_faster_than_allowed() -> None:
    sender = FakeSender(waiting=60)
    started = monotonic()
    async with running(sender, rate=100, batch=20):
        await until(lambda: sender.waiting == 0)
    assert sender.sent_at[-1] - started >= 0.35  # 20 at once, 40 more at 100 a second
    assert [limit for limit, _ in sender.calls[:3]] == [20, 20, 20]


async def test_while_intake_is_away_only_officers_are_served() -> None:
    sender = FakeSender()
    sender.script = [Pass(2, contacts_down="intake does not answer")]
    metrics = MetricSet(METRICS)
    async with running(sender, metrics):
        await until(lambda: len(sender.calls) >= 3)
        assert [reporters for _, reporters in sender.calls[:3]] == [True, False, False]
        assert metrics.value(PAUSED, "contacts") == 1
        sender.waiting = 1
        await until(lambda: metrics.value(PAUSED, "contacts") == 0)


async def test_while_the_relay_is_down_nothing_is_taken_until_the_pause_is_over() -> None:
    sender = FakeSender()
    sender.script = [Pass(2, relay_down="the relay can't be reached")]
    metrics = MetricSet(METRICS)
    async with running(sender, metrics):
        await until(lambda: metrics.value(PAUSED, "relay") == 1)
        paused = monotonic()
        sender.waiting = 2
        await until(lambda: sender.waiting == 0)
        assert sender.sent_at[0] - paused > 0.8
        assert metrics.value(PAUSED, "relay") == 0


async def test_a_database_that_is_away_does_not_end_the_loop() -> None:
    sender = FakeSender(waiting=1)
    sender.script = [ConnectionRefusedError("the database restarts")]
    async with running(sender):
        await until(lambda: sender.waiting == 0)
