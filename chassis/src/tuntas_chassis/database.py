"""One PostgreSQL database per service, by SQLAlchemy's asyncpg dialect."""

from contextlib import AbstractAsyncContextManager

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tuntas_chassis.settings import ServiceSettings

# SQLSTATE classes after which the same transaction may succeed: connection, rollback (deadlock, serialization),
# resources, operator intervention (shutdown, starting up), system error
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: the database is away, restarting, or chose us in a deadlock."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or getattr(getattr(error.orig, "__cause__", None), "sqlstate", None)
        if state:
            return str(state)[:2] in _TRANSIENT_CLASSES
        torn = isinstance(getattr(error.orig, "__cause__", None), asyncpg.InternalClientError)
        return torn or error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "")[:2] in _TRANSIENT_CLASSES
    # asyncpg calls it an internal error of its own when the server dies while a statement is on its way
    return isinstance(error, OSError | TimeoutError | PoolTimeout | asyncpg.InterfaceError | asyncpg.InternalClientError)


class Database:
    """A pool of connections to the service's own database."""

    def __init__(self, settings: ServiceSettings, name: str) -> None:
        """Nothing is opened before the first use. `name` is shown in pg_stat_activity."""
        self._engine = create_async_engine(
            settings.sqlalchemy_url,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_use_lifo=True,
            pool_timeout=15,
            hide_parameters=True,  # an error's message goes into logs; the parameters may be a person's data
            connect_args={"timeout": 10, "command_timeout": 60, "server_settings": {"application_name": name, "jit": "off"}},
        )
        self._dsn = settings.database_url.get_secret_value()
        self._name = name

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection in a transaction that commits at the end of the block, or rolls back on an error."""
        return self._engine.begin()

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reading."""
        return self._engine.connect()

    async def raw(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of one's own beside the pool, for locks and notifications that live as long as it does."""
        return await asyncpg.connect(self._dsn, timeout=10, command_timeout=60, server_settings={"application_name": f"{self._name}-relay"})

    async def ping(self) -> None:
        """Raise where the database does not answer."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def revision(self) -> str | None:
        """The migration that the database stands at, or None before the first."""
        async with self._engine.connect() as connection:
            if not await connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
                return None
            found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
