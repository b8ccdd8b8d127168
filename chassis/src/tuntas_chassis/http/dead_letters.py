"""What an operator does with parked messages: look, replay in the order of the topic, discard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tuntas_chassis.http.problems import Problem
from tuntas_chassis.messaging.batch import BatchWorker
from tuntas_chassis.messaging.dead_letter_access import DeadLetterAccess
from tuntas_chassis.messaging.dead_letters import OpenDeadLetter, ParkedMessage, fault_text
from tuntas_chassis.messaging.delivery_tables import DeliveryTables
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.telemetry.logs import logger

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """How many messages of the key took effect, how many still wait, and why the first of those does."""

    replayed: int
    waiting: int
    error: str | None = None


class DeadLetterQueue:
    """The operator's way to the parked messages of one service."""

    def __init__(self, tables: DeliveryTables, outbox: Outbox, workers: Mapping[str, BatchWorker[Any]]) -> None:
        self._tables = tables
        self._outbox = outbox
        self._workers = workers

    async def list(self, after: UUID, limit: int, *, key: str | None = None, resolved: bool = False) -> list[ParkedMessage]:
        """What waits, or what was resolved by whom and why; oldest first."""
        async with self._tables.begin() as transaction:
            return await transaction.list_dead_letters(after, limit, key=key, resolved=resolved)

    async def show(self, message_id: UUID) -> OpenDeadLetter:
        """One parked message; Problem 404."""
        async with self._tables.begin() as transaction:
            found = await transaction.find_dead_letter(message_id)
        if found is None:
            raise _unknown()
        return found

    async def read_content(self, message_id: UUID, by: str, why: str) -> OpenDeadLetter:
        """The same with its content; the access is recorded for ever; Problem 404."""
        async with self._tables.begin() as transaction:
            found = await transaction.find_dead_letter(message_id)
            if found is None:
                raise _unknown()
            await transaction.log_access(found, by, why)
        _log.info("parked_content_read", consumer=found.consumer, parked_id=str(message_id), by=by)
        return found

    async def accesses(self, after: UUID, limit: int) -> Sequence[DeadLetterAccess]:
        """Who read the content of which message, when and why; oldest first."""
        async with self._tables.begin() as transaction:
            return await transaction.list_accesses(after, limit)

    async def replay(self, message_id: UUID, by: str, why: str | None = None) -> ReplayResult:
        """Apply this message and everything of its key that waits with it, in order; stops at the first that fails."""
        return await self._replay(await self.show(message_id), by, why)

    async def _replay(self, first: OpenDeadLetter, by: str, why: str | None, *, resolved: bool = False) -> ReplayResult:
        """`resolved`: whether `first` may be resolved already, and only what waits behind it is to be replayed."""
        worker = self._workers[first.consumer]
        replayed = 0
        while True:
            async with self._tables.begin() as transaction:
                if first.key is not None:
                    queue = await transaction.lock_dead_letters_of(first.consumer, first.key)
                if replayed == 0 and not resolved:  # somebody else may have resolved it since it was looked at
                    first = (await transaction.lock_dead_letters([first.id]))[first.id]
                    self._must_be_open(first)
                if first.key is None:
                    queue = [first]
                if not queue:
                    break
                message = queue[0]
                try:
                    async with transaction.nested():
                        await worker.apply_parked(transaction, message.record, catching_up=message.catching_up)
                except Exception as error:
                    if is_transient(error):
                        raise
                    await transaction.failed_again(message.id, error)
                    _log.warning(
                        "parked_failed_again", consumer=first.consumer, parked_id=str(message.id), error=type(error).__name__, by=by
                    )
                    return ReplayResult(replayed, len(queue), f"{type(error).__name__}: {fault_text(error)[:300]}")
                await transaction.resolve_dead_letter(message.id, "replayed", by, why)
                replayed += 1
            self._outbox.written()
            if first.key is None:
                break
        _log.info("parked_replayed", consumer=first.consumer, parked_id=str(first.id), replayed=replayed, by=by)
        return ReplayResult(replayed, 0)

    async def discard(self, message_id: UUID, by: str, why: str | None = None, also: Sequence[UUID] = ()) -> ReplayResult:
        """Give a message up for good, and `also` others of its key before any of them is replayed; then what waits is replayed.

        Nothing changes where one of them is of another key (Problem 422), unknown (404) or resolved (409).
        """
        found = await self.show(message_id)
        others = [await self.show(one_id) for one_id in dict.fromkeys(also) if one_id != message_id]
        for one in others:  # before anything is locked: rows of two keys have no common order
            if one.key is None or (one.consumer, one.key) != (found.consumer, found.key):
                raise Problem(422, "Of another key", f"{one.id} does not wait on the same key: discard it separately.", "other_key")
        async with self._tables.begin() as transaction:
            if found.key is not None:
                await transaction.lock_dead_letters_of(found.consumer, found.key)
            for locked in (await transaction.lock_dead_letters([found.id, *(one.id for one in others)])).values():
                self._must_be_open(locked)
                await transaction.resolve_dead_letter(locked.id, "discarded", by, why)
        _log.info("parked_discarded", consumer=found.consumer, parked_id=str(message_id), by=by)
        if found.key is None:
            return ReplayResult(0, 0)
        return await self._replay(found, by, why and f"behind {message_id}: {why}", resolved=True)

    def _must_be_open(self, message: OpenDeadLetter) -> None:
        if message.state not in ("parked", "waiting"):
            raise Problem(409, "Already resolved", f"This message was {message.state} before.", "resolved")


def _unknown() -> Problem:
    return Problem(404, "No such parked message", "List them with GET /v1/parked.", "not_parked")
