"""Sends in the background: to destinations in trouble, each by a producer that is ended afterwards unless all went well."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaProducer

from tuntas_chassis.messaging.kafka import abort
from tuntas_chassis.messaging.producers import Producers
from tuntas_chassis.messaging.sending import Destination, Outcome, await_late_outcome, send
from tuntas_chassis.messaging.set_aside import Hold
from tuntas_contracts.envelope import Headers

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class SlowSend:
    """Destinations that are tried, and the outcome once there is one. `silent` says of which kind, None of one that is only waited for."""

    holds: Sequence[Hold]
    silent: bool | None
    task: "asyncio.Task[Outcome]"


class SlowSends:
    """Those under way of one relay."""

    def __init__(self, producers: Producers, headers: Callable[[asyncpg.Record], Headers], finished: Callable[[], None]) -> None:
        """`finished` is called at the end of each."""
        self._producers = producers
        self._headers = headers
        self._finished = finished
        self._under_way: list[SlowSend] = []

    def is_trying(self, *, silent: bool) -> bool:
        """Whether destinations of this kind are being tried."""
        return any(send.silent == silent for send in self._under_way)

    def wait_on(self, producer: AIOKafkaProducer, before: Outcome, holds: Sequence[Hold]) -> None:
        """Wait on for what is unanswered in a producer that was given up, then end it."""
        self._begin(holds, None, self._await_unanswered(producer, before))

    def try_again(self, rows: Sequence[asyncpg.Record], holds: Sequence[Hold], *, silent: bool) -> None:
        """Send a row of each hold."""
        self._begin(holds, silent, self._try(rows))

    def finished(self) -> list[SlowSend]:
        """Those that have ended since the last call."""
        found = [send for send in self._under_way if send.task.done()]
        self._under_way = [send for send in self._under_way if not send.task.done()]
        return found

    async def close(self) -> None:
        """End all, and their producers."""
        tasks = [send.task for send in self._under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._under_way.clear()

    def _begin(self, holds: Sequence[Hold], silent: bool | None, work: Coroutine[None, None, Outcome]) -> None:
        for hold in holds:
            hold.busy = True
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _task: self._finished())
        self._under_way.append(SlowSend(holds, silent, task))

    async def _await_unanswered(self, producer: AIOKafkaProducer, before: Outcome) -> Outcome:
        try:
            return await await_late_outcome(before, LIMIT_S)
        finally:
            await abort(producer)

    async def _try(self, rows: Sequence[asyncpg.Record]) -> Outcome:
        producer = await self._producers.start()
        if producer is None:
            outcome = Outcome()
            for row in rows:
                outcome.fail(Destination(row["topic"], -1), "no broker answers", silent=True)
            return outcome
        try:
            return await send(producer, rows, self._headers, LIMIT_S)
        finally:
            await abort(producer)
