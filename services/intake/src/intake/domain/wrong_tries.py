"""How many wrong access codes are answered before a source, or all together, must wait. A right code is never held up."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 600.0
PER_SOURCE: Final = 20
IN_ALL: Final = 5_000
MAX_SOURCES: Final = 10_000


@dataclass(slots=True)
class _Count:
    since: float
    tries: int = 0


class WrongTries:
    """Counts of one process, in windows of ten minutes, of at most ten thousand sources: the one longest unseen is forgotten first.

    Codes have 80 random bits, so that guessing is hopeless at any rate; the counts make it seen, and cost its author the answers.
    """

    def __init__(self) -> None:
        self._sources: OrderedDict[str, _Count] = OrderedDict()
        self._all = _Count(float("-inf"))

    def add(self, source: str, now: float) -> bool:
        """Count a wrong try at `now` (monotonic seconds); whether there were too many."""
        count = self._sources.pop(source, None)
        if count is None or now - count.since >= WINDOW_S:
            count = _Count(now)
        self._sources[source] = count
        while len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        if now - self._all.since >= WINDOW_S:
            self._all = _Count(now)
        count.tries += 1
        self._all.tries += 1
        return count.tries > PER_SOURCE or self._all.tries > IN_ALL

    @property
    def sources(self) -> int:
        """How many sources are remembered."""
        return len(self._sources)
