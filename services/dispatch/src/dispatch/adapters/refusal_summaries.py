"""Sends the summaries of what was refused over an agency's quota."""

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from dispatch.application.refusals import Refusals
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database, is_transient

LOOK_EVERY_S = 5.0


class RefusalSummaries:
    """Looks for minutes that are over; what could not be written is kept and tried again."""

    def __init__(self, refusals: Refusals, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._refusals = refusals
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._waiting: list[Outgoing] = []

    async def send(self) -> None:
        """Write every summary that is due; one that can't be written is set aside, and the others go out."""
        self._waiting.extend(self._refusals.summaries(self._clock.now()))
        if not self._waiting:
            return
        try:
            await self._write(self._waiting)
        except (DBAPIError, ValueError) as error:
            if is_transient(error):
                raise
            await self._write_one_by_one()
        self._waiting.clear()
        self._outbox.written()

    async def _write_one_by_one(self) -> None:
        while self._waiting:
            try:
                await self._write(self._waiting[:1])
            except (DBAPIError, ValueError) as error:
                if is_transient(error):
                    raise
                self._refusals.set_aside(self._waiting[0].key, error)
            del self._waiting[0]

    async def _write(self, summaries: Sequence[Outgoing]) -> None:
        async with self._database.begin() as connection:
            await self._outbox.write(connection, summaries)
