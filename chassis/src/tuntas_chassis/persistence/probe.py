"""One connection that asks how the database is, and nothing else: work that takes every connection of the pool does not take this."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import time
from typing import Final

import asyncpg

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]
_ANSWER_S: Final = 3.0
_STATE: Final = (
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only, "
    "to_regclass('alembic_version') IS NOT NULL AS migrated, extract(epoch FROM clock_timestamp())::float8 AS now"
)
_REVISION: Final = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What one look showed. `skew_s`: how far its clock is certainly ahead of ours (negative: behind), in seconds; 0 within the doubt."""

    revision: str | None
    read_only: bool
    skew_s: float


class DatabaseProbe:
    """Looks at the database over a connection of its own."""

    def __init__(self, connect: Connect) -> None:
        """Nothing is opened before the first look."""
        self._connect = connect
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def look(self) -> DatabaseState:
        """How the database is now; raises OSError, TimeoutError, asyncpg.PostgresError or InterfaceError where it does not answer."""
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(_ANSWER_S):
                    state = await self._ask()
            except BaseException:
                self._drop()
                raise
            if state.read_only:
                self._drop()  # a server that became a standby keeps its connections; the next one may lead to the new primary
            return state

    async def close(self) -> None:
        """Close the connection."""
        async with self._one_at_a_time:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connection.close(timeout=2)

    async def _ask(self) -> DatabaseState:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        before = time()
        row = await self._connection.fetchrow(_STATE)
        after = time()
        if row is None:
            raise asyncpg.InterfaceError("the database gave no row to a SELECT without FROM")
        revision = await self._connection.fetchval(_REVISION) if row["migrated"] else None
        return DatabaseState(revision, row["read_only"], skew(row["now"], before, after))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def skew(there: float, before: float, after: float) -> float:
    """How far a clock that showed `there` at some moment between our `before` and `after` is certainly ahead, in seconds.

    What may be the question's own time on the way, or a delay of this process, is not counted: within it the answer is 0.
    """
    if there > after:
        return there - after
    return min(there - before, 0.0)
