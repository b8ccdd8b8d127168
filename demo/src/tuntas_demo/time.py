"""The play's time: steps all processes' clocks at once, only while everything is at rest, so that every business time is right."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from tuntas_chassis.clock import SimulatedClock
from tuntas_demo.options import DemoFailed


def start_clock(clock: SimulatedClock, instant: datetime) -> None:
    """Set a clock that nobody follows yet."""
    clock.set_offset(instant - datetime.now(UTC))


class SimulatedTime:
    """Moves the clock from moment to moment; between two steps it runs on at its real pace."""

    def __init__(self, clock: SimulatedClock, at_rest: Callable[[datetime], Awaitable[None]]) -> None:
        """`at_rest(until)` returns when nothing is under way and every deadline up to `until` was told."""
        self._clock = clock
        self._at_rest = at_rest
        self.moment = clock.now()

    async def settle(self) -> None:
        """Wait until all that began at this moment has come to its end."""
        await self._at_rest(self.moment)

    async def advance_to(self, instant: datetime) -> None:
        """Settle, then step.

        Raises:
            DemoFailed: time would run backwards, or the platform does not come to rest.
        """
        await self.settle()
        if instant < self._clock.now():
            raise DemoFailed(
                f"the clock stands at {self._clock.now()} and can't go back to {instant}: the machine is too slow for the play"
            )
        self._clock.set_offset(instant - datetime.now(UTC))
        self.moment = instant
