"""Alembic without a file of its own: each service's migrations are in its package, and `env.py` is one call."""

from functools import cache, partial
from importlib.resources import as_file, files

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tuntas_chassis.persistence.connections import server_settings
from tuntas_chassis.persistence.database import sqlstate_of
from tuntas_chassis.persistence.database_retry import TIMEOUT_S, retry_while_unavailable
from tuntas_chassis.persistence.schema import TABLE_NAMES
from tuntas_chassis.telemetry.logs import logger

_LOCK = 0x74756E746173  # "tuntas": one migration at a time, whoever starts
# A statement that waits for a table's lock makes all others wait behind it: after so long it is cancelled, and is tried again.
_LOCK_TIMEOUT = "SET lock_timeout = '3s'"
_LOCK_NOT_AVAILABLE = "55P03"
_LOCK_TIMEOUT_S = 600.0
_log = logger(__name__)


def _config(package: str, connection: Connection | None = None) -> Config:
    config = Config()
    with as_file(files(package) / "migrations") as folder:
        config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    return config


@cache
def head_revision(package: str) -> str:
    """The revision that this package's code needs."""
    head = ScriptDirectory.from_config(_config(package)).get_current_head()
    if head is None:
        raise RuntimeError(f"{package} has no migrations: its package data is incomplete")
    return head


def is_served_by(package: str, revision: str | None) -> bool:
    """Whether this package's code can work on a database at `revision`: its own head, or a later one that it does not know.

    Migrations only expand before they contract, so that the old code keeps working while a roll-out brings the new.
    """
    return revision is not None and (revision == head_revision(package) or is_later(package, revision))


def is_later(package: str, revision: str | None) -> bool:
    """Whether a release after this one has migrated the database: it is at a revision that this package does not know."""
    known = {script.revision for script in ScriptDirectory.from_config(_config(package)).walk_revisions()}
    return revision is not None and revision not in known


def _upgrade(connection: Connection, package: str) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    try:
        found = MigrationContext.configure(connection).get_current_revision()
        if is_later(package, found):
            _log.info("nothing_to_migrate", found=found, known=head_revision(package), why="a later release has migrated the database")
            return
        connection.execute(text(_LOCK_TIMEOUT))
        connection.commit()
        command.upgrade(_config(package, connection), "head")
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        connection.commit()


async def upgrade(package: str, sqlalchemy_url: str, *, timeout_s: float = TIMEOUT_S, lock_timeout_s: float = _LOCK_TIMEOUT_S) -> None:
    """Bring the database to the package's head; several processes may do so at once. One that is at a later revision is left alone.

    Waits `timeout_s` seconds for a database that does not answer, and `lock_timeout_s` for tables that others hold; then raises
    DatabaseUnavailable.
    """
    engine = create_async_engine(
        sqlalchemy_url,
        poolclass=NullPool,
        connect_args={"timeout": 10, "server_settings": server_settings(f"{package}-migrate")},
    )

    async def once() -> None:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, package)

    held = "end the transactions that hold its tables (pg_stat_activity), and repeat"
    try:
        locked = partial(retry_while_unavailable, "migrate", once, timeout_s=lock_timeout_s, is_temporary=_is_locked, then=held)
        await retry_while_unavailable("migrate", locked, timeout_s=timeout_s)
    finally:
        await engine.dispose()


def _is_locked(error: BaseException) -> bool:
    return sqlstate_of(error) == _LOCK_NOT_AVAILABLE


def run_env(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` calls."""
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run migrations with `python -m <service> migrate`, which gives them their connection")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=lambda name, kind, _parents: not (kind == "table" and name in TABLE_NAMES),
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
