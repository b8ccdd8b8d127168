"""Runs a coroutine to its end from code that is not asynchronous, even if an event loop runs in the calling thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_apart(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives or raises; it has an event loop and a thread of its own."""
    with ThreadPoolExecutor(1, thread_name_prefix="apart") as pool:
        return pool.submit(asyncio.run, coroutine).result()
