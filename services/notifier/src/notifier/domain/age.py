"""How old an event may be that still gets a notice: what is older is read again, and had its notice in its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """`on_topic` is how long an event may have lain on its topic, `remembered` how long the notifier remembers what it sent."""

    on_topic: timedelta
    remembered: timedelta

    def is_too_old(self, now: datetime, *, case_began: datetime, occurred_at: datetime, appended_at: datetime) -> bool:
        """Whether no notice is to be sent any more of what happened to a case at `occurred_at` and was published at `appended_at`.

        A report entered late has deadlines that ended before it was entered: they are as old as the case.
        """
        return now - appended_at > self.on_topic or now - max(occurred_at, case_began) > self.remembered
