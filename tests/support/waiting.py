"""Waiting for a condition, with a limit."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

_LOOK_AGAIN_S, _LOOK_AGAIN_AT_LAST_S, _MORE_SELDOM = 0.02, 0.25, 1.25
"""The first pause, the longest, and by how much one is longer than the one before: what takes long need not be looked at so often."""


async def until(condition: Callable[[], Awaitable[object]], what: str, within_s: float = 40.0) -> Any:
    """Wait for a condition; returns what it gave, fails with `what` when it never held."""
    deadline, wait_s = monotonic() + within_s, _LOOK_AGAIN_S
    while True:
        found = await condition()
        if found:
            return found
        if monotonic() > deadline:
            raise AssertionError(f"after {within_s} s still not: {what}")
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * _MORE_SELDOM, _LOOK_AGAIN_AT_LAST_S)


def until_it_holds(condition: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    """The same outside an event loop."""
    deadline, wait_s = monotonic() + within_s, _LOOK_AGAIN_S
    pause = threading.Event()
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"after {within_s} s still not: {what}")
        pause.wait(wait_s)
        wait_s = min(wait_s * _MORE_SELDOM, _LOOK_AGAIN_AT_LAST_S)
