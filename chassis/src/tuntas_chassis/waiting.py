"""Waiting that ends early: for an event, and no longer than so many seconds."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_BUSY, _CROWDED = 25, 800


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, `seconds` at most; says whether it is."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


@contextmanager
def passed_on(event: asyncio.Event, other: asyncio.Event) -> Iterator[None]:
    """Within, `other` is set once `event` is, so that a loop has to wait for `other` alone; at the end it is set at any rate."""
    waiter = asyncio.create_task(event.wait())
    waiter.add_done_callback(lambda _task: other.set())
    try:
        yield
    finally:
        waiter.cancel()


def linger_s(taken: int, linger_ms: int) -> float:
    """How long to wait for more before the next look, in seconds, where the last one brought `taken`.

    Hardly where few come, the whole linger from 25 on, and towards 800 up to twice that: where so much comes, larger batches
    save more processor time than the wait costs.
    """
    return linger_ms / 1000 * (min(taken / _BUSY, 1.0) + min(taken / _CROWDED, 1.0))
