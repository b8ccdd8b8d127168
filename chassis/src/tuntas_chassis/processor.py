"""What a service gives to the delivery core, and how one command over HTTP is carried out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from aiokafka import ConsumerRecord
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database
from tuntas_chassis.inbox import remember_handled
from tuntas_chassis.messages import Incoming, Outcome, Outgoing
from tuntas_chassis.outbox import Outbox
from tuntas_chassis.problems import Problem
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
    refuse: Callable[[Record, Exception], Outgoing | None] | None = None
    """Answers what can't be read or handled instead of parking it."""
    key_of: Callable[[Incoming], str] | None = None
    """The state's key; the record's key where this is not given."""
    after: Sequence[str] = ()
    """Subscriptions that must have read what lay on their topics at the start before this one begins."""
    gates_readiness: bool = True
    """Whether the service is ready only after this has read what lay on its topics at the start."""
    fetch_wait_ms: int = 150
    """How long a fetch waits at the broker for data. While it waits, a partition that was just drained is not asked for."""
    fetch_min_bytes: int = 1
    """How much the broker gathers before it answers a fetch, unless the wait is over first. More means fewer, later answers."""
    external_time: bool = False
    """Whether business times are the broker's append times, so that unread records hold the relay's marks back."""


class Processor(Generic[S]):
    """Carries out commands on the states of one store."""

    def __init__(self, store: Store[S], database: Database, outbox: Outbox, clock: Clock, caught_up: Callable[[], bool]) -> None:
        """`caught_up` says whether the database is sure to know all that this service did before."""
        self._caught_up = caught_up
        self._store = store
        self._database = database
        self._outbox = outbox
        self._clock = clock

    async def execute(self, key: str, decide: Callable[[S | None, datetime], Outcome[S]], *, command_id: UUID | None = None) -> S | None:
        """One command in one transaction; returns the state after it.

        `decide` gets the locked state and the business time, which is read inside the transaction. What it raises rolls
        back and propagates. A `command_id` that was handled before changes nothing. Problem 503 until the service has caught up:
        a database put back to a backup could contradict what it has published.
        """
        if not self._caught_up():
            raise Problem(
                503,
                "Still catching up",
                "The service is reading what it did before it started; send the request again in a few seconds.",
                "catching_up",
                headers={"Retry-After": "2"},
            )
        async with self._database.begin() as connection:
            state = (await self._store.load(connection, [key])).get(key)
            if command_id is not None and not await remember_handled(connection, [command_id]):
                return state
            outcome = decide(state, self._clock.now())
            if outcome.state is not None or outcome.rows:
                await self._store.save(connection, [outcome.state] if outcome.state is not None else [], outcome.rows)
            if outcome.handled:
                await remember_handled(connection, outcome.handled)
            await self._outbox.write(connection, outcome.outgoing)
        self._outbox.written()
        return outcome.state if outcome.state is not None else state
