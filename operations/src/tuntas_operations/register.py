"""The agency register as an operator's command finds it: dispatch's database, or the files that come with dispatch."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from tuntas_contracts.vocabulary import Service
from tuntas_operations.databases import connected
from tuntas_operations.errors import StackError
from tuntas_operations.installation import Installation
from tuntas_operations.topics import register_codes


@dataclass(frozen=True, slots=True)
class RegisterFound:
    """The codes of all agencies, disabled ones too. `complete`: they are the database's, so there are no others."""

    codes: Sequence[str]
    source: str
    complete: bool


def read_register(installation: Installation) -> RegisterFound:
    """The register of dispatch's database; that of the files where the database is not named or has none yet.

    Raises:
        Unreachable: the database is named and does not answer.
    """
    if Service.DISPATCH not in installation.databases:
        return RegisterFound(register_codes(), "the register's files (dispatch's database is not named)", complete=False)
    codes = asyncio.run(_codes(installation))
    if codes is None:
        return RegisterFound(register_codes(), "the register's files (dispatch's database has no register yet)", complete=False)
    return RegisterFound(codes, "dispatch's database", complete=True)


async def _codes(installation: Installation) -> list[str] | None:
    async with connected(installation, Service.DISPATCH) as connection:
        try:
            rows = await connection.fetch("SELECT code FROM agency ORDER BY code")
        except asyncpg.UndefinedTableError:
            return None
        except asyncpg.InsufficientPrivilegeError as error:
            raise StackError(f"the role of {Service.DISPATCH}'s database may not read the register: {error}") from error
    return [row["code"] for row in rows] or None
