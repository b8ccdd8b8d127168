"""How old an event may be that is still told of: what is older is read again, and was told in its time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import time_of


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """`on_topic` is how long an event may have lain on its topic, `remembered` how long the notifier remembers what it sent."""

    clock: Clock
    on_topic: timedelta
    remembered: timedelta

    def is_too_old(self, case_id: UUID, occurred_at: datetime, appended_at: datetime) -> bool:
        """Whether nobody is to be told any more of what happened to the case at `occurred_at` and was published at `appended_at`.

        A report entered late has deadlines that ended before it was entered: they are as old as the case.
        """
        now = self.clock.now()
        happened_at = max(occurred_at, datetime.fromtimestamp(time_of(case_id), UTC))
        return now - appended_at > self.on_topic or now - happened_at > self.remembered
