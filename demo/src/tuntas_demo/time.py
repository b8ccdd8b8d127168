"""The play's time: steps all processes' clocks at once, only while everything is idle, so that every business time is right."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from tuntas_chassis.clock import SimulatedClock
from tuntas_demo.options import DemoFailed


def start_clock(clock: SimulatedClock, instant: datetime) -> None:
    """Set a clock that no process follows yet."""
    clock.set_offset(instant - datetime.now(UTC))


class SimulatedTime:
    """Moves the clock from moment to moment; between two steps it runs on at its real pace."""

    def __init__(self, clock: SimulatedClock, idle: Callable[[datetime], Awaitable[None]]) -> None:
        """`idle(until)` returns when nothing is under way and every deadline up to `until` was published."""
        self._clock = clock
        self._idle = idle
        self.moment = clock.now()

    async def wait_until_idle(self) -> None:
        """Wait until all that began at this moment has come to its end."""
        await self._idle(self.moment)

    async def advance_to(self, instant: datetime) -> None:
        """Wait until all is idle, then step.

        Raises:
            DemoFailed: time would run backwards, or the platform does not become idle.
        """
        await self.wait_until_idle()
        if instant < self._clock.now():
            raise DemoFailed(f"the clock is at {self._clock.now()} and can't go back to {instant}: the machine is too slow for the play")
        self._clock.set_offset(instant - datetime.now(UTC))
        self.moment = instant
