"""What reporters sent after submitting: kept so that a retry is known, and so that the original words are not lost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from intake.application.ports import KnownInput

_LOCK = text("SELECT case_id FROM report WHERE case_id = :case_id FOR UPDATE")
_FIND = text("SELECT body_hash, accepted_at FROM reporter_input WHERE input_id = :input_id AND case_id = :case_id")
_ADD = text("INSERT INTO reporter_input (input_id, case_id, body_hash, accepted_at) VALUES (:input_id, :case_id, :body_hash, :accepted_at)")


class InputFile:
    """The table of accepted inputs."""

    async def lock_report(self, connection: AsyncConnection, case_id: UUID) -> None:
        """Let one input of a case be accepted at a time, so that the topic has them in the order of their commits."""
        await connection.execute(_LOCK, {"case_id": case_id})

    async def find(self, connection: AsyncConnection, input_id: UUID, case_id: UUID) -> KnownInput | None:
        """The input with this id, if it was accepted before."""
        row = (await connection.execute(_FIND, {"input_id": input_id, "case_id": case_id})).one_or_none()
        return KnownInput(row.body_hash, row.accepted_at) if row else None

    async def add(self, connection: AsyncConnection, input_id: UUID, case_id: UUID, body_hash: bytes, accepted_at: datetime) -> None:
        """Remember an accepted input."""
        await connection.execute(_ADD, {"input_id": input_id, "case_id": case_id, "body_hash": body_hash, "accepted_at": accepted_at})
