"""What is to be done at which simulated moment."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tuntas_demo.case_log import PlayedCase


class Activity(StrEnum):
    """What somebody does at a moment."""

    SUBMIT = "submit"
    VERIFY = "verify"  # T3 or T13 by the national administrator
    DECIDE = "decide"  # T4, T5 or T10 by the agency administrator
    FOLLOW_UP = "follow up"  # T14
    ANSWER = "answer"  # T15
    REACT = "react"  # T16 or T18 by the reporter


@dataclass(frozen=True, slots=True)
class Task:
    """One activity on one case. `stage` is how far the case had come when it was planned: it is void once the case has changed since."""

    activity: Activity
    case: PlayedCase
    stage: int


class Agenda:
    """Tasks by moment. What is planned after the end is never done: the play ends before."""

    def __init__(self, end: datetime) -> None:
        self._end = end
        self._tasks: defaultdict[datetime, list[Task]] = defaultdict(list)

    def halt_at(self, moments: Iterable[datetime]) -> None:
        """Moments to halt at even if there is nothing to do."""
        for moment in moments:
            if moment < self._end:
                self._tasks[moment]

    def add(self, moment: datetime, activity: Activity, case: PlayedCase, stage: int) -> None:
        """Plan an activity for a case that has come to `stage`."""
        if moment < self._end:
            self._tasks[moment].append(Task(activity, case, stage))

    def next(self) -> datetime | None:
        """The next moment, None when there is none left."""
        return min(self._tasks, default=None)

    def take(self, moment: datetime) -> dict[Activity, list[PlayedCase]]:
        """What is to be done at that moment and still makes sense, by activity."""
        found: dict[Activity, list[PlayedCase]] = {activity: [] for activity in Activity}
        for task in self._tasks.pop(moment, []):
            if task.case.stage == task.stage:
                found[task.activity].append(task.case)
        return found
