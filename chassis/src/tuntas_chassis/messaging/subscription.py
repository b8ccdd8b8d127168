"""What a service gives to the delivery core."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from aiokafka import ConsumerRecord
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.messaging.messages import Incoming, Outcome, Outgoing
from tuntas_contracts.base import Contract

S = TypeVar("S")
Record: TypeAlias = "ConsumerRecord[bytes, bytes]"


class Store(Protocol[S]):
    """How states are read and written, always many at once."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, S]:
        """Lock and read the states of these keys, in the order of their ids; keys that have none are left out."""
        ...

    async def save(self, connection: AsyncConnection, states: Sequence[S], rows: Sequence[object]) -> None:
        """Write changed states and further rows in bulk."""
        ...


class Stateless(Generic[S]):
    """The first half of a `Store` whose messages are decided on by themselves: nothing need be read or locked."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, S]:
        """Nothing."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Subscription(Generic[S]):
    """A service's interest in topics. The consumer group is `<service>.<name>`."""

    name: str
    store: Store[S]
    apply: Callable[[S | None, Incoming], Outcome[S]]
    types: Sequence[type[Contract]]
    """What is decoded. Any other type is skipped by its header, and counted."""
    topics: Sequence[str] = ()
    pattern: str | None = None
    track_own: Sequence[type[Contract]] = ()
    """Own events that are delivered in ordinary running too."""
    catching_up_only: Sequence[type[Contract]] = ()
    """Those of `types` that matter only while catching up: else they are skipped by their header."""
    answers_inputs: bool = False
    """Whether it may hold inputs (`Outcome.hold`)."""
    refuse: Callable[[Record, Exception], Outgoing | None] | None = None
    """Answers what can't be read or handled instead of keeping it as a dead letter."""
    writer_of: Callable[[str], str] | None = None
    """Who alone writes a topic (by its name), where that is not the platform: ids are then its own, not to be mixed up with
    anybody else's, and nothing there is an event of this service, whatever its `ce_source` says."""
    key_of: Callable[[Incoming], str] | None = None
    """The state's key; the record's key where this is not given."""
    after: Sequence[str] = ()
    """Subscriptions that must have read what was on their topics at the start before this one begins."""
    before_start: Callable[[], Awaitable[object]] | None = None
    """Done once those in `after` have read what was on their topics, and before this begins; again until it succeeds. What another
    replica has read is in the database then, and what this process keeps of it in memory is to be read again."""
    gates_readiness: bool = True
    """Whether the service is ready only after this has read what was on its topics at the start."""
    fetch_wait_ms: int = 150
    """How long a fetch waits at the broker for data while some comes: a partition whose records are at hand is not in it."""
    fetch_min_bytes: int = 1
    """How much the broker gathers before it answers a fetch, unless the wait is over first. More means fewer, later answers."""
    rest_wait_ms: int = 5_000
    """How long a fetch waits for a first record while nothing comes."""
    delays_watermarks: bool = False
    """Whether what is unread or a dead letter here may still lead to an event of an earlier time, so that deadlines wait for it."""
    remembered: bool = True
    """Whether the inbox remembers its messages; those that change nothing when they come again need not be."""

    def matches(self, topic: str) -> bool:
        """Whether this topic is read."""
        return topic in self.topics or (self.pattern is not None and re.match(self.pattern, topic) is not None)
