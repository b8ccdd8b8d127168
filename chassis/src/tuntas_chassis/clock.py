"""The platform's clock: real, or moved for all processes of a local stack at once.

Only business time is simulated. Tokens, timeouts and Kafka's own timestamps stay real.
"""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_OFFSET = struct.Struct("<q")


class Clock(Protocol):
    """Where every business time comes from."""

    def now(self) -> datetime:
        """The business time now, aware, UTC."""
        ...

    def from_broker(self, timestamp_ms: int) -> datetime:
        """The business time of a broker's append time (milliseconds since the epoch)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time now, aware, UTC."""
        return datetime.now(UTC)

    def from_broker(self, timestamp_ms: int) -> datetime:
        """The same instant as an aware datetime."""
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


class SimulatedClock:
    """Real time plus an offset in microseconds that a file holds and all processes of a stack share.

    Whoever steps it must do so only while outboxes and consumers' lag are empty: then every record that is still to be read
    was appended under the offset that holds when it is read.
    """

    def __init__(self, path: Path) -> None:
        """Open the clock that `create` made; raises FileNotFoundError."""
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _OFFSET.size)

    @classmethod
    def create(cls, path: Path) -> "SimulatedClock":
        """A clock with offset zero at `path`, which it replaces in place so that open clocks follow it."""
        with path.open("a+b") as file:
            file.truncate(_OFFSET.size)
        clock = cls(path)
        clock.set_offset(timedelta())
        return clock

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead of real time."""
        return timedelta(microseconds=_OFFSET.unpack(self._map[:])[0])

    def set_offset(self, offset: timedelta) -> None:
        """Move the clock for every process that has it open."""
        self._map[:] = _OFFSET.pack(offset // timedelta(microseconds=1))

    def now(self) -> datetime:
        """Real time plus the offset."""
        return datetime.now(UTC) + self.offset

    def from_broker(self, timestamp_ms: int) -> datetime:
        """The broker's real append time plus the offset."""
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC) + self.offset
