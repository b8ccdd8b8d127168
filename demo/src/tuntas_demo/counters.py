"""Counts what is on the topics: events, deadlines, notices, and whether every agency's topic agrees with the cases topic."""

from collections import Counter
from collections.abc import Callable

from tuntas_contracts.topology import CASES, NOTICES, SLA
from tuntas_demo.feed import FeedMessage

_TO_AGENCIES = frozenset({"CaseForwarded"})


class Counters:
    """Figures of the play so far."""

    def __init__(self, follows: Callable[[str], bool]) -> None:
        """`follows(agency)`: whether that agency's own topic is read too."""
        self._follows = follows
        self.messages = 0
        self.events: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.undelivered: Counter[str] = Counter()
        self.repeats = 0
        self.refused: Counter[str] = Counter()
        self._owed: set[tuple[str, int]] = set()
        self._delivered: set[tuple[str, int]] = set()

    @property
    def unpaired(self) -> int:
        """How many steps of cases are so far on only one of the two: the cases topic, and the topic of the agency concerned."""
        return len(self._owed ^ self._delivered)

    def count(self, message: FeedMessage) -> None:
        """One message."""
        self.messages += 1
        data, kind = message.data, message.kind
        if message.topic == SLA.name:
            if kind == "DeadlineWarning":
                self.warnings[data["clock"]] += 1
            elif kind == "DeadlineMissed":
                self.missed[data["clock"]] += 1
        elif message.topic == NOTICES.name:
            if kind == "NoticeSent":
                self.sent[data["kind"]] += 1
                self.repeats += data["possible_repeat"]
            elif kind in ("NoticeFailed", "NoticeNotSent"):
                self.undelivered[data["reason"]] += 1
        elif message.topic == CASES.name:
            self.events[kind] += 1
            if kind == "CaseClosed":
                self.closed[data["reason"]] += 1
            if kind in _TO_AGENCIES or (message.source == "dispatch" and data.get("transition")):
                self._note(self._owed, message)
        elif kind == "ActionRefused":
            self.refused[data["code"]] += 1
        else:
            self._note(self._delivered, message)

    def _note(self, side: set[tuple[str, int]], message: FeedMessage) -> None:
        if self._follows(message.data["agency"]):
            side.add((message.data["case_id"], message.data["version"]))
