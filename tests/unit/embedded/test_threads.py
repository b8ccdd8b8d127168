"""Blocking calls that wait for each other all run, however many there are."""

import asyncio
from threading import Barrier

import pytest

from tuntas_embedded.threads import in_thread

MANY = 100


async def test_more_calls_than_a_pool_has_threads_can_wait_for_each_other() -> None:
    meeting = Barrier(MANY, timeout=30)
    places = await asyncio.gather(*(in_thread(meeting.wait) for _ in range(MANY)))
    assert sorted(places) == list(range(MANY))


async def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await in_thread(int, "x")
