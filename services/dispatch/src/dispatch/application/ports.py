"""What changes of the register need of the database and of this process's copy of it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from dispatch.domain.register_changes import Author, Change, StoredAgency
from dispatch.domain.register_entries import Agency
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.persistence.database import Transaction

LockRegister = Callable[[Transaction], Awaitable[Mapping[str, StoredAgency]]]
"""Gives the whole register by code, which nobody else changes until the transaction ends."""
WriteChanges = Callable[[Transaction, Sequence[Change], Author, Clock], Awaitable[Sequence[Outgoing]]]
"""Writes what differs with its lines of the audit; gives what is to be published. The caller holds the lock."""


class KnownAgencies(Protocol):
    """The register in memory."""

    def take(self, agencies: Iterable[Agency], /) -> None:
        """Know at once what this process has just written."""
        ...
