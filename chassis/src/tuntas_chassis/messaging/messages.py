"""What passes between the delivery core and a service's decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from tuntas_chassis.ids import derive_id
from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import Envelope

S = TypeVar("S")


class Incoming(NamedTuple):
    """A decoded message.

    `appended_at` is the broker's append time on the platform's clock. `catching_up` marks what was on the topic before the process
    started: events of this very service that the database has lost may still follow. `replayed` marks such an event, delivered so
    that a restored database catches up. `held` marks an input that was held back while catching up: all that was on the topic
    behind it has been read, and no owner's event there answers it. `id` is what it is known by here: the envelope's id, or one
    derived from that and its `writer` where another system writes, whose ids may be anything.
    """

    envelope: Envelope
    key: str
    body: Contract
    topic: str
    partition: int
    offset: int
    appended_at: datetime
    catching_up: bool = False
    replayed: bool = False
    held: bool = False
    writer: str = ""

    @property
    def id(self) -> UUID:
        """The id under which it is handled once."""
        return derive_id(self.envelope.id, self.writer) if self.writer else self.envelope.id


class Outgoing(NamedTuple):
    """A message to publish. `time` is the business time; without an `id` one is derived from the cause, or a new one is made."""

    topic: str
    key: str
    body: Contract
    time: datetime
    id: UUID | None = None


class Outcome(NamedTuple, Generic[S]):
    """What a decision leads to.

    `state` None leaves the stored state as it is. `rows` are further rows for `Store.save`. `handled` are the ids of inputs
    or commands that this answered, remembered so that a repeat under another event id changes nothing. `hold` keeps an input,
    undecided, until all is read that was on the topic; it is then given again as `Incoming.held`, unless an owner's event that
    answers it was read meanwhile.
    """

    state: S | None
    outgoing: Sequence[Outgoing] = ()
    rows: Sequence[object] = ()
    handled: Sequence[UUID] = ()
    hold: bool = False
