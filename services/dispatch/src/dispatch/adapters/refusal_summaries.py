"""Sends the summaries of what was refused over an agency's quota."""

from dispatch.refusals import Refusals
from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database
from tuntas_chassis.messages import Outgoing
from tuntas_chassis.outbox import Outbox

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
        """Write every summary that is due."""
        self._waiting.extend(self._refusals.summaries(self._clock.now()))
        if self._waiting:
            async with self._database.begin() as connection:
                await self._outbox.write(connection, self._waiting)
            self._waiting.clear()
            self._outbox.written()
