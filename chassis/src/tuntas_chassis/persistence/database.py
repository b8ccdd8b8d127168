"""One PostgreSQL database per service, by SQLAlchemy's asyncpg dialect: a pool for work and a pool for reads over HTTP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tuntas_chassis.persistence.connections import server_settings, watch_peer
from tuntas_chassis.persistence.probe import DatabaseProbe
from tuntas_chassis.settings import ServiceSettings

Transaction: TypeAlias = AsyncConnection
"""The connection on which a transaction is open, for use cases: they pass it to their ports and send no SQL themselves."""
READ_ONLY: Final = "25006"
"""The SQLSTATE of a write that met a standby, or a database that takes no writes: every failover passes through it."""
QUERY_CANCELED: Final = "57014"
# SQLSTATE classes after which the same transaction may succeed: connection, rollback (deadlock, serialization),
# resources, operator intervention (shutdown, starting up, statement_timeout), system error
_TRANSIENT_CLASSES: Final = frozenset({"08", "40", "53", "55", "57", "58"})
# of class 25 these alone: a read-only database, and the server's limits on transactions left open (idle, whole)
_TRANSIENT_STATES: Final = frozenset({READ_ONLY, "25P03", "25P04"})
# after these the server behind the connection is not, or is no more, the one to talk to: every pooled connection is replaced
_LOST_STATES: Final = frozenset({READ_ONLY, "25P03", "25P04", "57P01", "57P02", "57P03", "57P05"})
_NEVER_DONE: Final = (ValueError, asyncpg.UnsupportedClientFeatureError, asyncpg.UnsupportedServerFeatureError)
_CONNECT_S: Final = 10
_BEGIN: Final = text("SELECT 1")


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE that the server gave, whether SQLAlchemy has wrapped the error or not; None where it was not the server's."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    for found in (origin, getattr(origin, "__cause__", None)):
        if state := getattr(found, "sqlstate", None):
            return str(state)
    return None


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: the database is away, restarting, read-only, or chose us in a deadlock."""
    state = sqlstate_of(error)
    if state is not None:
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES
    origin = getattr(error.orig, "__cause__", None) if isinstance(error, DBAPIError) else error
    if isinstance(origin, asyncpg.InterfaceError) and isinstance(origin, _NEVER_DONE):
        return False  # a value that no column takes, or what this client can't do: the driver said so, nothing was lost on the way
    if isinstance(error, DBAPIError):
        torn = isinstance(origin, asyncpg.InternalClientError)
        return torn or error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError | FileExistsError):
        return False  # of the file system, not of the network
    # asyncpg calls it an internal error of its own when the server dies while a statement is on its way
    return isinstance(error, OSError | TimeoutError | PoolTimeout | asyncpg.InterfaceError | asyncpg.InternalClientError)


def _drop_lost_connections(context: ExceptionContext) -> None:
    """Have the pool replace every connection that it holds, where this error says that they lead to the wrong place or to none."""
    if context.connection is None:
        return
    error = context.original_exception
    # a statement without an answer (`command_timeout`): what stopped forwarding for one has done so for all
    if sqlstate_of(error) in _LOST_STATES or isinstance(error, TimeoutError):
        context.is_disconnect = True


class Database:
    """Pools of connections to the service's own database."""

    def __init__(self, settings: ServiceSettings, name: str) -> None:
        """Nothing is opened before the first use. `name` is shown in pg_stat_activity."""
        self._dsn = settings.database_url.get_secret_value()
        self._name = name
        self.probe = DatabaseProbe(partial(self.raw, "probe"))
        self._command_timeout_s = settings.database_command_timeout_s
        self._work = _engine(settings, settings.database_pool_size, 15, settings.database_command_timeout_s, server_settings(name))
        read_ms = int(settings.database_read_timeout_s * 1000)
        self._reads = _engine(
            settings,
            settings.database_read_pool_size,
            settings.database_read_timeout_s,
            settings.database_read_timeout_s + 5,
            server_settings(f"{name}-reads", statement_timeout=f"{read_ms}ms", default_transaction_read_only="on"),
        )

    @property
    def name(self) -> str:
        """What `pg_stat_activity` shows of our connections: this alone, or before a hyphen and what the connection is for."""
        return self._name

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection in a transaction that commits at the end of the block, or rolls back on an error."""
        return self._work.begin()

    @asynccontextmanager
    async def begin_now(self) -> AsyncIterator[AsyncConnection]:
        """The same, with a first statement: the driver sends BEGIN with that.

        A time read before it is older than the transaction looks to the relay, which might then mark a later time than that of the
        events to come.
        """
        async with self.begin() as connection:
            await connection.execute(_BEGIN)
            yield connection

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reading that belongs to the service's work."""
        return self._work.connect()

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for a read over HTTP.

        It comes from a small pool of its own, writes nothing, and a statement that takes longer than `database_read_timeout_s` is
        cancelled: however much is asked, the connections that work needs are not among those that it takes.
        """
        return self._reads.connect()

    async def raw(self, purpose: str = "relay") -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of one's own beside the pools, for locks and notifications that live as long as it does."""
        connection = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_S,
            command_timeout=self._command_timeout_s,
            server_settings=server_settings(f"{self._name}-{purpose}"),
        )
        watch_peer(connection)
        return connection

    async def close(self) -> None:
        """Close every connection but those that `raw` gave."""
        await self.probe.close()
        await self._work.dispose()
        await self._reads.dispose()


def _engine(settings: ServiceSettings, size: int, wait_s: float, command_timeout_s: float, session: Mapping[str, str]) -> AsyncEngine:
    engine = create_async_engine(
        settings.sqlalchemy_url,
        pool_size=size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_timeout=wait_s,
        hide_parameters=True,  # an error's message goes into logs; the parameters may be a person's data
        connect_args={"timeout": _CONNECT_S, "command_timeout": command_timeout_s, "server_settings": dict(session)},
    )
    event.listen(engine.sync_engine, "connect", _watch)
    event.listen(engine.sync_engine, "handle_error", _drop_lost_connections)
    return engine


def _watch(connection: Any, _record: Any) -> None:
    watch_peer(connection.driver_connection)
