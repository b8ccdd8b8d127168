"""One role and one database for each service; no role can connect to another's database."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from tuntas_embedded.postgres.apart import run_apart
from tuntas_operations.errors import Unreachable


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def database_url(admin_url: str, name: str, password: str) -> str:
    """The URL by which role `name` reaches database `name` on the server of `admin_url`."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{quote(name)}:{quote(password, safe='')}@{host}", f"/{name}", parts.query, ""))


def provide_databases(admin_url: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """Make what lacks of the roles and databases named in `passwords`; gives each one's URL. Can be repeated.

    Raises:
        Unreachable: the server does not answer or refuses us.
    """
    return run_apart(_provide(admin_url, passwords))


async def _provide(admin_url: str, passwords: Mapping[str, str]) -> dict[str, str]:
    where = urlsplit(admin_url).netloc.rpartition("@")[2]
    try:
        connection = await asyncpg.connect(admin_url, timeout=15)
        try:
            for name, password in passwords.items():
                await _provide_one(connection, name, password)
            if await _is_superuser(connection):
                own = await connection.fetchval("SELECT current_database()")
                await connection.execute(f"REVOKE CONNECT ON DATABASE {_quoted(own)} FROM PUBLIC")
        finally:
            await connection.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise Unreachable(f"PostgreSQL at {where} does not answer ({error}): look at TUNTAS_DATABASE") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable(
            f"PostgreSQL at {where} refuses to make the services' databases ({error}): give in TUNTAS_DATABASE a role "
            "that may create roles and databases"
        ) from error
    return {name: database_url(admin_url, name, password) for name, password in passwords.items()}


async def _is_superuser(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))


async def _provide_one(connection: asyncpg.Connection, name: str, password: str) -> None:
    role, secret = _quoted(name), _literal(password)
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    await connection.execute(f"{'ALTER' if known else 'CREATE'} ROLE {role} LOGIN PASSWORD {secret}")
    if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        return
    if not await _is_superuser(connection):
        await connection.execute(f"GRANT {role} TO CURRENT_USER")
    await connection.execute(f"CREATE DATABASE {_quoted(name)} OWNER {role} ENCODING 'UTF8' TEMPLATE template0")
    await connection.execute(f"REVOKE CONNECT ON DATABASE {_quoted(name)} FROM PUBLIC")
