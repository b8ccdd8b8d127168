"""How many refusals an agency is answered one by one, so that a broken agency system can't flood the platform."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Overflow:
    """What was refused to one agency within one minute without an answer of its own."""

    agency: str
    count: int
    by_code: tuple[tuple[str, int], ...]
    first_position: str

    def summary(self) -> str:
        """The one answer to all of them."""
        codes = ", ".join(f"{code} {count}" for code, count in self.by_code)
        return (
            f"{self.count} further commands were refused within a minute and not answered one by one ({codes}); "
            "correct them and send them again"
        )


@dataclass(slots=True)
class _Window:
    minute: int
    answered: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    first_position: str = ""


class RefusalQuota:
    """Counts refusals per agency and minute, in this process's memory; a batch that is tried again counts twice."""

    def __init__(self, per_minute: int, seconds: Callable[[], float]) -> None:
        """`seconds` is a steady count of seconds."""
        self._per_minute = per_minute
        self._seconds = seconds
        self._windows: dict[str, _Window] = {}
        self._finished: list[Overflow] = []

    def admit(self, agency: str, code: str, position: str) -> bool:
        """Whether this refusal is answered by itself; if not, it counts towards the summary."""
        window = self._windows.get(agency)
        minute = int(self._seconds() // _MINUTE_S)
        if window is None or window.minute != minute:
            if window is not None:
                self._finish(agency, window)
            window = self._windows[agency] = _Window(minute)
        if window.answered < self._per_minute:
            window.answered += 1
            return True
        window.first_position = window.first_position or position
        window.withheld[code] += 1
        return False

    def overflows(self) -> list[Overflow]:
        """What was withheld in minutes that are over; each is given once."""
        minute = int(self._seconds() // _MINUTE_S)
        for agency, window in [(a, w) for a, w in self._windows.items() if w.minute != minute]:
            del self._windows[agency]
            self._finish(agency, window)
        found, self._finished = self._finished, []
        return found

    def _finish(self, agency: str, window: _Window) -> None:
        if count := window.withheld.total():
            self._finished.append(Overflow(agency, count, tuple(window.withheld.most_common()), window.first_position))
