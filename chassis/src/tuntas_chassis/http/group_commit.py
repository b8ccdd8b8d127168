"""One transaction for all requests that wait: a commit costs the same for one as for hundreds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import is_transient

C = TypeVar("C")
T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[C, T, R]):
    """Gathers items and writes them together. A data error is isolated to the item that caused it."""

    def __init__(
        self,
        begin: Callable[[], AbstractAsyncContextManager[C]],
        outbox: Outbox,
        clock: Clock,
        write: Callable[[C, Sequence[T], datetime], Awaitable[Sequence[R]]],
        *,
        max_items: int = 500,
        max_bytes: int = 4 * 1024 * 1024,
        size_of: Callable[[T], int] = lambda _item: 0,
        linger_s: float = 0.015,
    ) -> None:
        """`begin` gives a transaction that has begun (`begin_now` of a database or of delivery tables).

        `write` gets it, the items and the business time, read inside the transaction, and gives a result for each in order.

        A group ends with the item that brings it to `max_bytes`, by `size_of` in bytes.
        `linger_s` is how long a busy committer waits for more; alone, an item is written at once.
        """
        self._begin = begin
        self._outbox = outbox
        self._clock = clock
        self._write = write
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._linger_s = linger_s
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Returns when the item is committed; raises what its write raised."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            number = self._fitting()
            group, self._waiting = self._waiting[:number], self._waiting[number:]
            await self._commit(group)
            if len(group) > 1 and len(self._waiting) < self._max_items:
                await asyncio.sleep(self._linger_s)

    def _fitting(self) -> int:
        """How many of those that wait go into one transaction."""
        number, size = 0, 0
        while number < min(len(self._waiting), self._max_items) and size < self._max_bytes:
            size += self._size_of(self._waiting[number][0])
            number += 1
        return number

    async def _commit(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._in_one_transaction([item for item, _ in group])
        except Exception as error:
            if len(group) > 1 and isinstance(error, DBAPIError | ValueError) and not is_transient(error):
                for one in group:
                    await self._commit([one])
                return
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _in_one_transaction(self, items: Sequence[T]) -> Sequence[R]:
        async with self._begin() as transaction:
            results = await self._write(transaction, items, self._clock.now())
            if len(results) != len(items):
                raise RuntimeError(f"the write of a group commit gave {len(results)} results for {len(items)} items")
        self._outbox.written()
        return results
