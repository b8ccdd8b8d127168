"""What the messages or commands of one transaction come to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from tuntas_chassis.messaging.delivery_tables import DeliveryTransaction
from tuntas_chassis.messaging.messages import Outcome, Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.subscription import Store

S = TypeVar("S")


@dataclass(slots=True)
class UnitOfWork(Generic[S]):
    """Gathered in memory, decision after decision, each on the state that the one before it left; then written at once."""

    states: dict[str, S]
    changed: dict[str, S] = field(default_factory=dict)
    rows: list[object] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    handled: set[UUID] = field(default_factory=set)

    def take(self, key: str, outcome: Outcome[S], parent: str, outgoing: Sequence[Outgoing] | None = None) -> None:
        """Take in what was decided on the state of `key`. `parent` is its traceparent; `outgoing` replaces the outcome's own."""
        if outcome.state is not None:
            self.states[key] = self.changed[key] = outcome.state
        self.rows.extend(outcome.rows)
        self.handled.update(outcome.handled)
        for message in outcome.outgoing if outgoing is None else outgoing:
            self.publish(message, parent)

    def publish(self, message: Outgoing, parent: str) -> None:
        """Add a message to publish."""
        self.outgoing.append(message)
        self.parents.append(parent)

    async def write(self, transaction: DeliveryTransaction, store: Store[S], outbox: Outbox) -> None:
        """States and rows, the ids that were handled, and what is to be published."""
        if self.changed or self.rows:
            await transaction.save(store, self.changed, self.rows)
        if self.handled:
            await transaction.remember_handled(sorted(self.handled))
        if self.outgoing:
            await transaction.publish(outbox, self.outgoing, self.parents)
