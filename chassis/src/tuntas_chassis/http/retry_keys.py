"""What an officer's `Idempotency-Key` means: the same command again changes nothing, another command under it is refused."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from tuntas_chassis.http.problems import Problem
from tuntas_chassis.ids import derive_id


@dataclass(frozen=True, slots=True)
class RetryKey:
    """`key` is the client's key, which counts for one officer, command and case; `command_id` is that of the command with its body.

    Events carry `command_id`, so a database put back to a backup knows the command again. That its key was used it knows no more.
    """

    key: UUID
    command_id: UUID

    @classmethod
    def of(cls, key: UUID | None, subject: str, command: str, case_id: UUID, body: BaseModel) -> "RetryKey | None":
        """The key as it was sent with this command by this officer; None where none was sent."""
        if key is None:
            return None
        scoped = derive_id(key, subject, command, str(case_id))
        return cls(scoped, derive_id(scoped, body.model_dump_json()))


def key_reused() -> Problem:
    """The answer to a key that was used for another command."""
    return Problem(
        422,
        "The Idempotency-Key was used for another command",
        "Send a new command with a new key; a key may be repeated only with the same body.",
        "idempotency_key_reused",
    )
