"""How commands over HTTP are carried out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from tuntas_chassis.clock import Clock
from tuntas_chassis.http.group_commit import GroupCommit
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.http.retry_keys import RetryKey, key_reused
from tuntas_chassis.messaging.delivery_tables import DeliveryTables, DeliveryTransaction
from tuntas_chassis.messaging.messages import Outcome
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.messaging.subscription import Store
from tuntas_chassis.messaging.unit_of_work import UnitOfWork
from tuntas_chassis.telemetry.tracebacks import without_frames
from tuntas_chassis.telemetry.tracing import current_traceparent
from tuntas_contracts.refusal import Refusal

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class _Command(Generic[S]):
    key: str
    decide: Callable[[S | None, datetime], Outcome[S]]
    id: UUID | None
    retry_key: UUID | None
    traceparent: str

    @property
    def ids(self) -> tuple[UUID, ...]:
        return tuple(one for one in (self.id, self.retry_key) if one is not None)


@dataclass(frozen=True, slots=True)
class _Done(Generic[S]):
    state: S | None = None
    error: Exception | None = None


def catching_up() -> Problem:
    """The answer to a command that comes before the service has caught up."""
    return Problem(
        503,
        "Still catching up",
        "The service is reading what it did before it started; send the request again in a few seconds.",
        "catching_up",
        headers={"Retry-After": "2"},
    )


class CommandExecutor(Generic[S]):
    """Carries out commands on the states of one store; those that wait share a transaction."""

    def __init__(self, store: Store[S], tables: DeliveryTables, outbox: Outbox, clock: Clock, caught_up: Callable[[], bool]) -> None:
        """`caught_up` says whether the database is sure to know all that this service did before."""
        self._caught_up = caught_up
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._group: GroupCommit[DeliveryTransaction, _Command[S], _Done[S]] = GroupCommit(tables.begin_now, outbox, clock, self._carry_out)

    async def execute(
        self,
        key: str,
        decide: Callable[[S | None, datetime], Outcome[S]],
        *,
        command_id: UUID | None = None,
        retry_key: RetryKey | None = None,
    ) -> S | None:
        """One command; returns the state after it, once that is committed.

        `decide` gets the locked state and the business time. What it raises propagates, and the command has no effect. A
        `command_id` that was handled before changes nothing, as does the one of a `retry_key`, whose key is refused with Problem 422
        where it was used for another command. Problem 503 until the service has caught up: a database put back
        to a backup could contradict what it has published.
        """
        if not self._caught_up():
            raise catching_up()
        command = _Command(
            key, decide, retry_key.command_id if retry_key else command_id, retry_key.key if retry_key else None, current_traceparent()
        )
        done = await self._group.submit(command)
        if done.error is None:
            return done.state
        try:
            raise done.error
        finally:
            del done  # the error refers to this frame from here on: the two would be left to the garbage collector

    async def _carry_out(self, transaction: DeliveryTransaction, commands: Sequence[_Command[S]], _now: datetime) -> Sequence[_Done[S]]:
        unit = UnitOfWork(await transaction.load(self._store, sorted({command.key for command in commands})))
        now = self._clock.now()  # under the locks: never before an event that another transaction wrote about the same key
        ids = sorted({one for command in commands for one in command.ids})
        fresh = await transaction.remember_handled(ids) if ids else set()
        accepted: set[UUID] = set()
        done = [self._one(command, now, fresh, accepted, unit) for command in commands]
        if refused := fresh - accepted:
            await transaction.forget_handled(sorted(refused))
        await unit.write(transaction, self._store, self._outbox)
        return done

    @staticmethod
    def _one(command: _Command[S], now: datetime, fresh: Collection[UUID], accepted: set[UUID], unit: UnitOfWork[S]) -> _Done[S]:
        """Decide in memory; what an earlier command of the group did is seen."""
        if command.id is not None and (command.id not in fresh or command.id in accepted):
            return _Done(unit.states.get(command.key))
        if command.retry_key is not None and (command.retry_key not in fresh or command.retry_key in accepted):
            return _Done(error=key_reused())
        try:
            outcome = command.decide(unit.states.get(command.key), now)
        except Exception as error:
            # the answer does not show where it was decided
            return _Done(error=without_frames(error) if isinstance(error, Problem | Refusal) else error)
        accepted.update(command.ids)
        unit.take(command.key, outcome, command.traceparent)
        return _Done(unit.states.get(command.key))
