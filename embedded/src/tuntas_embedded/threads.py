"""Blocking calls beside an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Make a blocking call in a thread of its own; gives or raises what it does.

    For calls that wait for each other, such as starts of parts: `asyncio.to_thread` has six threads where there are two processors, and
    where six services waited in them for the broker, its start waited for a thread until they gave up.
    """
    thread = ThreadPoolExecutor(1)
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, partial(call, *arguments, **named))
    finally:
        thread.shutdown(wait=False)
