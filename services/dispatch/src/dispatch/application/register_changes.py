"""Changes of the register over HTTP: the row, its line of the audit and its event in one transaction."""

from collections.abc import Callable, Sequence

from dispatch.application.ports import KnownAgencies, LockRegister, WriteChanges
from dispatch.domain.register import UnknownAgencyError
from dispatch.domain.register_changes import Author, Change, StoredAgency, Wanted, decide
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.logs import logger

_log = logger(__name__)


class NotCaughtUp(Exception):
    """A change that comes before the database is sure to know all that was published of the register."""


class RegisterChanges:
    """Carries out what operators want of the register."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        lock: LockRegister,
        write: WriteChanges,
        known: KnownAgencies,
        caught_up: Callable[[], bool],
    ) -> None:
        """`caught_up` says whether the database is sure to know all that was published of the register."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._lock = lock
        self._write = write
        self._known = known
        self._caught_up = caught_up

    async def enter(self, wanted: Sequence[Wanted], author: Author) -> Sequence[Change]:
        """Bring these agencies in, or change them: all or none.

        Raises:
            RegisterError: some can't be so.
            StaleVersion: some were changed since they were read.
            NotCaughtUp: some of what was published of the register is not read yet.
        """
        return await self._carry_out(lambda _known: wanted, author)

    async def change(self, code: str, wanted: Callable[[StoredAgency], Wanted], author: Author) -> StoredAgency:
        """Change one agency that is there; `wanted` says how, from what is stored. Returns what is stored then.

        Raises:
            UnknownAgencyError: the register has no such agency.
            RegisterError, StaleVersion, NotCaughtUp: as `enter`.
        """

        def one(known: Callable[[str], StoredAgency | None]) -> Sequence[Wanted]:
            stored = known(code)
            if stored is None:
                raise UnknownAgencyError(code)
            return [wanted(stored)]

        (change,) = await self._carry_out(one, author)
        return change.after

    async def _carry_out(
        self, wanted: Callable[[Callable[[str], StoredAgency | None]], Sequence[Wanted]], author: Author
    ) -> Sequence[Change]:
        if not self._caught_up():
            raise NotCaughtUp("not all is read that was published of the register")
        async with self._database.begin() as connection:
            known = await self._lock(connection)
            changes = decide(wanted(known.get), known)
            await self._outbox.write(connection, await self._write(connection, changes, author, self._clock))
        self._outbox.written()
        self._known.take(change.after.agency for change in changes)
        for change in changes:
            if change.outcome != "unchanged":
                _log.info("agency_changed", agency=change.code, outcome=change.outcome)
        return changes
