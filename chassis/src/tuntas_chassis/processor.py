"""What a service gives to the delivery core, and how one command over HTTP is carried out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from aiokafka import ConsumerRecord
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.clock import Clock
from tuntas_chassis.database import Database
from tuntas_chassis.group_commit import GroupCommit
from tuntas_chassis.inbox import forget_handled, remember_handled
from tuntas_chassis.messages import Incoming, Outcome, Outgoing
from tuntas_chassis.outbox import Outbox
from tuntas_chassis.problems import Problem
from tuntas_chassis.tracing import current_traceparent
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


@dataclass(frozen=True, slots=True)
class _Command(Generic[S]):
    key: str
    decide: Callable[[S | None, datetime], Outcome[S]]
    id: UUID | None
    traceparent: str


@dataclass(frozen=True, slots=True)
class _Done(Generic[S]):
    state: S | None = None
    error: Exception | None = None


class Processor(Generic[S]):
    """Carries out commands on the states of one store; those that wait share a transaction."""

    def __init__(self, store: Store[S], database: Database, outbox: Outbox, clock: Clock, caught_up: Callable[[], bool]) -> None:
        """`caught_up` says whether the database is sure to know all that this service did before."""
        self._caught_up = caught_up
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._group: GroupCommit[_Command[S], _Done[S]] = GroupCommit(database, outbox, clock, self._carry_out)

    async def execute(self, key: str, decide: Callable[[S | None, datetime], Outcome[S]], *, command_id: UUID | None = None) -> S | None:
        """One command; returns the state after it, once that is committed.

        `decide` gets the locked state and the business time. What it raises propagates, and the command has no effect. A
        `command_id` that was handled before changes nothing. Problem 503 until the service has caught up: a database put back
        to a backup could contradict what it has published.
        """
        if not self._caught_up():
            raise Problem(
                503,
                "Still catching up",
                "The service is reading what it did before it started; send the request again in a few seconds.",
                "catching_up",
                headers={"Retry-After": "2"},
            )
        done = await self._group.submit(_Command(key, decide, command_id, current_traceparent()))
        if done.error is not None:
            raise done.error
        return done.state

    async def _carry_out(self, connection: AsyncConnection, commands: Sequence[_Command[S]], _now: datetime) -> Sequence[_Done[S]]:
        states = await self._store.load(connection, sorted({command.key for command in commands}))
        now = self._clock.now()  # under the locks: never before an event that another transaction told of the same key
        ids = sorted({command.id for command in commands if command.id is not None})
        fresh = await remember_handled(connection, ids) if ids else set()
        effects: _Effects[S] = _Effects()
        done = [self._one(command, states, now, fresh, effects) for command in commands]
        if effects.changed or effects.rows:
            await self._store.save(connection, list(effects.changed.values()), effects.rows)
        if refused := fresh - effects.obeyed:
            await forget_handled(connection, sorted(refused))
        if effects.handled:
            await remember_handled(connection, sorted(effects.handled))
        await self._outbox.write(connection, effects.outgoing, traceparents=effects.parents)
        return done

    @staticmethod
    def _one(command: _Command[S], states: dict[str, S], now: datetime, fresh: Collection[UUID], effects: "_Effects[S]") -> _Done[S]:
        """Decide in memory; what an earlier command of the group did is seen."""
        state = states.get(command.key)
        if command.id is not None and (command.id not in fresh or command.id in effects.obeyed):
            return _Done(state)
        try:
            outcome = command.decide(state, now)
        except Exception as error:
            return _Done(error=error)
        if command.id is not None:
            effects.obeyed.add(command.id)
        if outcome.state is not None:
            states[command.key] = effects.changed[command.key] = state = outcome.state
        effects.rows.extend(outcome.rows)
        effects.handled.update(outcome.handled)
        effects.outgoing.extend(outcome.outgoing)
        effects.parents.extend([command.traceparent] * len(outcome.outgoing))
        return _Done(state)


@dataclass(slots=True)
class _Effects(Generic[S]):
    """What the commands of one group changed."""

    changed: dict[str, S] = field(default_factory=dict)
    rows: list[object] = field(default_factory=list)
    handled: set[UUID] = field(default_factory=set)
    outgoing: list[Outgoing] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    obeyed: set[UUID] = field(default_factory=set)
