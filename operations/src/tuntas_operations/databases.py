"""Connections to the services' databases, and their faults as sentences."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import asyncpg

from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import Unreachable
from tuntas_operations.installation import Installation

CONNECT_S = 10.0


class DatabaseRefuses(Unreachable):
    """The server answers and does not take the role, its password or the database's name."""


def place_of(url: str) -> str:
    """host:port/database of a URL, without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"


def role_of(url: str) -> str:
    """The role of a URL."""
    return unquote(urlsplit(url).username or "")


@asynccontextmanager
async def connected(installation: Installation, service: Service) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection to a service's database for the block.

    Raises:
        NotSet: it is not named.
        DatabaseRefuses: wrong password, no such role or database, or no right to connect.
        Unreachable: the server does not answer.
    """
    url = installation.needs_database(service)
    who, where = role_of(url), place_of(url)
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_S, command_timeout=60)
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise DatabaseRefuses(f"PostgreSQL at {where} refuses the role {who} or its password") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise DatabaseRefuses(f"PostgreSQL at {where} has no such database") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseRefuses(f"PostgreSQL at {where} does not let the role {who} connect to this database") from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable(f"PostgreSQL at {where} does not answer: {error or type(error).__name__}") from error
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_S)
