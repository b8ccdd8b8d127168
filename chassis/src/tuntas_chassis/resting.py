"""Fetches that wait long at the broker while nothing comes. The client has no setting for it: this uses what it keeps to itself."""

import asyncio
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup

_REST_AFTER_S = 5.0  # without anything but marks


class Resting:
    """The rest of one consumer: a record ends it at once, and an idle platform costs next to nothing."""

    def __init__(self, busy_wait_ms: int, busy_min_bytes: int, rest_wait_ms: int) -> None:
        self._busy = (busy_wait_ms, busy_min_bytes)
        self.rest_wait_ms = rest_wait_ms
        self._client: AIOKafkaConsumer | None = None
        self._fetches: set[asyncio.Task[Any]] = set()
        self._busy_at = monotonic()

    def note_work(self) -> None:
        """Something came."""
        self._busy_at = monotonic()

    @property
    def _due(self) -> bool:
        return monotonic() - self._busy_at > _REST_AFTER_S

    def take_over(self, client: AIOKafkaConsumer) -> None:
        """Say from now on how long this client's fetches wait.

        Not long for one that leaves out a partition whose records are still to be handled: it would not see what comes there.
        """
        self._client = client
        self.note_work()
        fetcher = client._fetcher
        plan, ask = fetcher._get_actions_per_node, fetcher._proc_fetch_request

        def plan_next(assignment: Any) -> Any:
            rests = self._due and not fetcher._records
            fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = (self.rest_wait_ms, 1) if rests else self._busy
            return plan(assignment)

        async def ask_broker(*request: Any) -> bool:
            task = asyncio.current_task()
            assert task is not None
            self._fetches.add(task)
            try:
                return bool(await ask(*request))
            except asyncio.CancelledError:
                return False  # no new data; the client's loop would end by what it does not expect
            finally:
                self._fetches.discard(task)

        fetcher._get_actions_per_node, fetcher._proc_fetch_request = plan_next, ask_broker

    def break_off(self) -> None:
        """End a fetch that rests: what is asked next on its connection would be answered after it."""
        rested = self._due
        self.note_work()
        if self._client is None or not rested:
            return
        for fetch in self._fetches:
            fetch.cancel()
        for (_node, group), connection in list(self._client._client._conns.items()):
            if group == ConnectionGroup.DEFAULT:  # the group's own talk has another
                connection.close()
