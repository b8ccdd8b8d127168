"""Dead letters of the database in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.dead_letter_access import DeadLetterAccess
from tuntas_chassis.messaging.dead_letters import (
    DeadLetter,
    FirstDeadLetter,
    OpenDeadLetter,
    ParkedMessage,
    columns_of_letter,
    fault_text,
    in_topic_order,
    letter_of,
    stored_key,
)

_OPEN = ("parked", "waiting")
_OF_THE_TABLE: dict[str, object] = {"attempts": 1, "settled_at": None, "settled_by": None, "settled_why": None}


@dataclass
class MemoryDeadLetters:
    """Rows with the columns of the table, by id, which is their order too."""

    rows: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    accesses: list[DeadLetterAccess] = field(default_factory=list)

    def copy(self) -> "MemoryDeadLetters":
        """The same, apart from what happens to this one. A row is never changed in place."""
        return MemoryDeadLetters(self.rows.copy(), self.accesses.copy())

    def add(self, consumer: str, letters: Sequence[DeadLetter]) -> None:
        """Keep these; one of the same place and time is there already."""
        known = {_place(row) for row in self.rows.values()}
        for letter in letters:
            row: dict[str, Any] = {**columns_of_letter(consumer, letter), **_OF_THE_TABLE, "parked_at": datetime.now(UTC)}
            if _place(row) not in known:
                known.add(_place(row))
                self.rows[row["id"]] = row

    def blocked(self, consumer: str, keys: Sequence[str]) -> dict[str, FirstDeadLetter]:
        """Where the first of each of these keys is."""
        found = {}
        for key in keys:
            if rows := self._open_of(consumer, key):
                first = rows[0]
                found[key] = FirstDeadLetter(first["topic"], first["partition"], first["offset"], first["timestamp_ms"])
        return found

    def waiting(self, consumer: str, key: str) -> list[OpenDeadLetter]:
        """Everything of a key, as the table names it, that waits."""
        return in_topic_order([letter_of(row) for row in self._open_of(consumer, key)])

    def _open_of(self, consumer: str, key: str) -> list[dict[str, Any]]:
        wanted = (consumer, stored_key(key))
        rows = [row for row in self.rows.values() if (row["consumer"], row["key"]) == wanted and row["state"] in _OPEN]
        return sorted(rows, key=lambda row: (row["topic"], row["partition"], row["offset"]))

    def list(self, after: UUID, limit: int, key: str | None, *, resolved: bool) -> list[ParkedMessage]:
        """A page."""
        rows = [
            row
            for row in self.rows.values()
            if row["id"] > after and (row["state"] not in _OPEN) is resolved and (key is None or row["key"] == stored_key(key))
        ]
        return [letter_of(row).listed for row in rows[:limit]]

    def find(self, letter_id: UUID) -> OpenDeadLetter | None:
        """One, whatever its state."""
        row = self.rows.get(letter_id)
        return letter_of(row) if row is not None else None

    def change(self, letter_id: UUID, **values: object) -> None:
        """Write columns of one."""
        self.rows[letter_id] = {**self.rows[letter_id], **values}

    def fail(self, letter_id: UUID, fault: Exception) -> None:
        """Keep the new reason and count the attempt."""
        attempts = self.rows[letter_id]["attempts"] + 1
        self.change(letter_id, attempts=attempts, error_type=type(fault).__name__, error=fault_text(fault), state="parked")

    def log_access(self, letter: OpenDeadLetter, subject: str, reason: str) -> None:
        """Somebody reads the content."""
        m = letter.listed
        place = (m.id, m.consumer, m.topic, m.partition, m.offset, m.key)
        self.accesses.append(DeadLetterAccess(new_id(), datetime.now(UTC), subject, reason, *place))


def _place(row: dict[str, Any]) -> tuple[object, ...]:
    return row["consumer"], row["topic"], row["partition"], row["offset"], row["timestamp_ms"]
