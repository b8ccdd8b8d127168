"""Waiting for a condition, with a limit."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

_LOOK_AGAIN_S = 0.05


async def until(condition: Callable[[], Awaitable[object]], what: str, within_s: float = 40.0) -> Any:
    """Wait for a condition; returns what it gave, fails with `what` when it never held."""
    deadline = monotonic() + within_s
    while True:
        found = await condition()
        if found:
            return found
        if monotonic() > deadline:
            raise AssertionError(f"after {within_s} s still not: {what}")
        await asyncio.sleep(_LOOK_AGAIN_S)


def until_it_holds(condition: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    """The same outside an event loop."""
    deadline = monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"after {within_s} s still not: {what}")
        pause.wait(_LOOK_AGAIN_S)
