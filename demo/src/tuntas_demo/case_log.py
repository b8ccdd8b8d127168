"""What the play knows of each report: what its reporter holds, and its state according to the topics."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tuntas_contracts.vocabulary import CaseState
from tuntas_demo.corpus import GeneratedReport


@dataclass(slots=True, eq=False)
class PlayedCase:
    """A report from before its submission to its end.

    `version` is that of the last event read, `stage` that of the last event that changed who acts next.
    """

    report: GeneratedReport
    case_id: str = ""
    tracking_id: str = ""
    access_code: str = ""
    state: CaseState | None = None
    agency: str | None = None
    bounces: int = 0
    arbitration: bool = False
    arbitrated: bool = False
    answers: int = 0
    version: int = 0
    stage: int = 0

    @property
    def number(self) -> int:
        """Its number in the corpus, from 1."""
        return self.report.number


class CaseLog:
    """All cases by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, PlayedCase] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[PlayedCase]:
        return iter(self._by_id.values())

    def accepted(self, case: PlayedCase, case_id: str, tracking_id: str, access_code: str) -> None:
        """A receipt came."""
        case.case_id, case.tracking_id, case.access_code = case_id, tracking_id, access_code
        self._by_id[case_id] = case

    def get(self, case_id: str) -> PlayedCase | None:
        """A case by its id; None for one that the play did not submit, or whose receipt has not come yet."""
        return self._by_id.get(case_id)

    def states(self) -> Counter[CaseState]:
        """How many cases are in each state."""
        return Counter(case.state for case in self._by_id.values() if case.state is not None)
