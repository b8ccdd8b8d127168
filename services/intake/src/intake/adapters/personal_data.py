"""Personal data of reporters: every read leaves a line in the access log, in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from intake.adapters.vault import Vault, VaultError
from intake.application.ports import Found, Missing, Read
from intake.domain.masking import OwnData
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.telemetry.logs import logger

_log = logger(__name__)

_READS = BulkColumns(Read, BulkColumn("purpose", "text"), BulkColumn("reporter_ref", "uuid"), BulkColumn("case_id", "uuid"))
_WANTED = _READS.without("purpose")
_FIND = _WANTED.statement(
    "SELECT r.tracking_id, r.language, p.wrapped_key, p.erased_at, d.ciphertext "
    "FROM {unnest} WITH ORDINALITY AS t({names}, place) "
    "LEFT JOIN report r ON r.case_id = t.case_id AND r.reporter_ref = t.reporter_ref "
    "LEFT JOIN reporter p ON p.reporter_ref = r.reporter_ref "
    "LEFT JOIN personal_data d ON d.reporter_ref = r.reporter_ref AND d.source_id = r.case_id ORDER BY t.place"
)
_LOG = _READS.statement(
    "INSERT INTO access_log (at, subject, {names}) "
    "SELECT CAST(:at AS timestamptz), CAST(:subject AS text), {values} FROM {unnest} AS x ({names})"
)
_KEY = text("SELECT wrapped_key FROM reporter WHERE reporter_ref = :ref")
_ADD = text("INSERT INTO personal_data (reporter_ref, source_id, ciphertext) VALUES (:ref, :source_id, :ciphertext)")
# By the primary keys of both tables: a report's original lies under its reporter and its case.
CASES_OF = text(
    "SELECT r.case_id FROM personal_data d JOIN report r ON r.case_id = d.source_id AND r.reporter_ref = d.reporter_ref "
    "WHERE d.reporter_ref = :ref"
)
_ERASED = BulkColumns(tuple[UUID, datetime], BulkColumn("reporter_ref", "uuid"), BulkColumn("erased_at", "timestamptz"))
_DESTROY_KEYS = _ERASED.statement(
    "UPDATE reporter AS r SET wrapped_key = NULL, erased_at = x.erased_at FROM {unnest} AS x ({names}) "
    "WHERE r.reporter_ref = x.reporter_ref AND r.wrapped_key IS NOT NULL"
)
_DROP_CIPHERTEXTS = text("DELETE FROM personal_data WHERE reporter_ref = ANY(CAST(:refs AS uuid[]))")


class PersonalData:
    """The one way to personal data."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def read(self, connection: AsyncConnection, reads: Sequence[Read], subject: str, at: datetime) -> list[Found | Missing]:
        """The data wished for, in order, or why there is none. What was found is logged as read by `subject`."""
        rows = await connection.execute(_FIND, _WANTED.arrays(reads))
        found: list[Found | Missing] = []
        for read, row in zip(reads, rows, strict=True):
            if row.tracking_id is None:
                found.append("unknown")
            elif row.wrapped_key is None or row.ciphertext is None:
                found.append("erased" if row.erased_at else "unknown")
            else:
                found.append(self._opened(read, row.tracking_id, row.language, row.wrapped_key, row.ciphertext))
        done = [read for read, result in zip(reads, found, strict=True) if isinstance(result, Found)]
        if done:
            await connection.execute(_LOG, {**_READS.arrays(done), "at": at, "subject": subject})
        return found

    def _opened(self, read: Read, tracking_id: str, language: str, wrapped_key: bytes, ciphertext: bytes) -> Found | Missing:
        try:
            original = json.loads(self._vault.open(read.reporter_ref, wrapped_key, ciphertext))
        except VaultError as error:
            # one broken row must not keep all others from being returned
            _log.error("personal_data_unreadable", case_id=str(read.case_id), reporter_ref=str(read.reporter_ref), detail=str(error))
            return "unreadable"
        own = original.get("reporter", {})  # a report on paper may not say who wrote it
        return Found(
            tracking_id,
            language,
            OwnData(own.get("name"), own.get("email"), own.get("phone"), own.get("nik"), own.get("address")),
        )

    async def add(self, connection: AsyncConnection, reporter_ref: UUID, source_id: UUID, original: str) -> None:
        """Keep the original of a later text under the reporter's key; after erasure nothing is kept."""
        wrapped_key = await connection.scalar(_KEY, {"ref": reporter_ref})
        if wrapped_key is not None:
            ciphertext = self._vault.seal_more(reporter_ref, wrapped_key, original.encode())
            await connection.execute(_ADD, {"ref": reporter_ref, "source_id": source_id, "ciphertext": ciphertext})

    async def cases_of(self, connection: AsyncConnection, reporter_ref: UUID) -> Sequence[UUID]:
        """The cases of a reporter whose data is not erased."""
        return (await connection.execute(CASES_OF, {"ref": reporter_ref})).scalars().all()

    async def erase(self, connection: AsyncConnection, erased: Mapping[UUID, datetime]) -> int:
        """Destroy reporters' keys and ciphertexts; returns how many there were to destroy."""
        return await erase(connection, erased)


async def erase(connection: AsyncConnection, erased: Mapping[UUID, datetime]) -> int:
    """Destroy reporters' keys and ciphertexts (UU 27/2022), each at its time; the cases, their masked texts and history stay.

    Returns how many there were to destroy.
    """
    done = await connection.execute(_DESTROY_KEYS, _ERASED.arrays(erased.items()))
    await connection.execute(_DROP_CIPHERTEXTS, {"refs": list(erased)})
    return done.rowcount
