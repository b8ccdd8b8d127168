"""One reconciliation after another, each reading only what is new on the topics."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import TypeVar
from uuid import UUID

from tuntas_operations.reconciliation.ledger import IN_FLIGHT_S, Delivery, Difference, Ledger
from tuntas_operations.reconciliation.reading import TopicReader, read_accepted, read_holdings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """What one round found. Every figure counts cases, but `events`, and `unreadable` records (see `TopicReader`)."""

    accepted: int
    published: int
    owned: int
    forwarded: int
    delivered: int
    events: int
    differences: tuple[Difference, ...]
    unreadable: int = 0

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.differences

    @property
    def by_kind(self) -> Counter[str]:
        """How many differences of each kind."""
        return Counter(d.kind for d in self.differences)


class Reconciler:
    """Reads and compares; the ledger lives as long as it does."""

    def __init__(
        self, bootstrap: str, databases: Mapping[str, str], client: Mapping[str, str] | None = None, *, since: datetime | None = None
    ) -> None:
        """`databases` are the services' URLs by module name; `client` holds further settings of the Kafka client (security).

        Cases accepted before `since` are skipped: after a loss of Kafka the topics hold nothing of them, or not everything.
        """
        self._topics = TopicReader(bootstrap, client)
        self._databases = databases
        self._ledger = Ledger(since.timestamp() if since else 0.0)

    async def round(self, *, in_flight_s: float = IN_FLIGHT_S) -> Result:
        """Compare everything as it is now. `in_flight_s` 0 is for an idle platform, where nothing may be under way."""
        # databases first: what they hold is then on the topics, or in an outbox and younger than the allowance
        accepted, triage, dispatch = await asyncio.gather(
            read_accepted(self._databases["intake"]),
            read_holdings(self._databases["triage"], "case_file", "case_id"),
            read_holdings(self._databases["dispatch"], "case", "id"),
        )
        accepted, triage, dispatch = self._concerned(accepted), self._concerned(triage), self._concerned(dispatch)
        await asyncio.to_thread(self._read_topics)
        differences = self._ledger.differences(accepted, triage, dispatch, time(), in_flight_s=in_flight_s)
        cases = self._ledger.cases
        return Result(
            accepted=len(accepted),
            published=sum(1 for c in cases.values() if c.versions),
            owned=sum(1 for h in triage.values() if h.owner == "triage") + sum(1 for h in dispatch.values() if h.owner == "dispatch"),
            forwarded=sum(1 for c in cases.values() if c.forwards),
            delivered=sum(1 for c in cases.values() if c.deliveries),
            events=self._ledger.events,
            differences=tuple(differences),
            unreadable=self._topics.unreadable,
        )

    def _concerned(self, cases: Mapping[UUID, T]) -> dict[UUID, T]:
        return {case_id: found for case_id, found in cases.items() if self._ledger.concerns(case_id)}

    def _read_topics(self) -> None:
        for fact in self._topics.read():
            if isinstance(fact, Delivery):
                self._ledger.note_delivery(fact)
            else:
                self._ledger.note_event(fact)

    def close(self) -> None:
        """Leave the broker."""
        self._topics.close()
