"""Alembic without a file of its own: each service's migrations lie in its package, and `env.py` is one call."""

import asyncio
from importlib.resources import as_file, files

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tuntas_chassis.schema import TABLE_NAMES

_LOCK = 0x74756E746173  # "tuntas": one migration at a time, whoever starts


def _config(package: str, connection: Connection | None = None) -> Config:
    config = Config()
    with as_file(files(package) / "migrations") as folder:
        config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    return config


def head_revision(package: str) -> str:
    """The revision that this package's code needs."""
    head = ScriptDirectory.from_config(_config(package)).get_current_head()
    if head is None:
        raise RuntimeError(f"{package} has no migrations: its package data is incomplete")
    return head


def is_served_by(package: str, revision: str | None) -> bool:
    """Whether this package's code can work on a database at `revision`: its own head, or a later one that it does not know.

    Migrations only expand before they contract, so that the old code goes on while a roll-out brings the new.
    """
    known = {script.revision for script in ScriptDirectory.from_config(_config(package)).walk_revisions()}
    return revision is not None and (revision == head_revision(package) or revision not in known)


def _upgrade(connection: Connection, package: str) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    try:
        command.upgrade(_config(package, connection), "head")
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        connection.commit()


async def upgrade(package: str, sqlalchemy_url: str) -> None:
    """Bring the database to the package's head; several processes may do so at once."""
    engine = create_async_engine(sqlalchemy_url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, package)
    finally:
        await engine.dispose()


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


def upgrade_now(package: str, sqlalchemy_url: str) -> None:
    """`upgrade` for a command line."""
    asyncio.run(upgrade(package, sqlalchemy_url))
