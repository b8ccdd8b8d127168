"""Brings the keys of reporters under the platform's current key, so that a former one can be removed."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from intake.adapters.vault import Vault, VaultError
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.logs import logger

_BATCH: Final = 1_000
_NEXT = text(
    "SELECT reporter_ref, wrapped_key FROM reporter WHERE reporter_ref > :after AND wrapped_key IS NOT NULL "
    "AND substring(wrapped_key FROM 1 FOR :id_bytes) <> :current ORDER BY reporter_ref LIMIT :limit FOR UPDATE"
)
_RENEWED = BulkColumns(tuple[UUID, bytes], BulkColumn("reporter_ref", "uuid", fixed=True), BulkColumn("wrapped_key", "bytea"))
_PUT = _RENEWED.statement(
    "UPDATE reporter AS r SET {changes} FROM {unnest} AS x ({names}) WHERE r.reporter_ref = x.reporter_ref", changes_from="x"
)
_log = logger(__name__)


@dataclass(slots=True)
class Rewrapped:
    """How many keys were brought under the current key, and how many no configured key opens."""

    done: int = 0
    unreadable: int = 0


async def rewrap_all(database: Database, vault: Vault, batch: int = _BATCH) -> Rewrapped:
    """Every reporter's key that a former key wraps, in batches of a transaction each. It can be broken off and begun again."""
    result, after = Rewrapped(), UUID(int=0)
    while True:
        async with database.begin() as connection:
            wanted = {"after": after, "current": vault.current_id, "id_bytes": len(vault.current_id), "limit": batch}
            rows = list(await connection.execute(_NEXT, wanted))
            renewed: dict[UUID, bytes] = {}
            for row in rows:
                try:
                    renewed[row.reporter_ref] = vault.rewrap(row.reporter_ref, row.wrapped_key)
                except VaultError as error:
                    result.unreadable += 1
                    _log.error("key_not_rewrapped", reporter_ref=str(row.reporter_ref), detail=str(error))
            await connection.execute(_PUT, _RENEWED.arrays(renewed.items()))
        result.done += len(renewed)
        if len(rows) < batch:
            return result
        after = rows[-1].reporter_ref
