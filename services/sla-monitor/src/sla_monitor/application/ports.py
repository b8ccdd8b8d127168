"""What the scheduler needs of the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sla_monitor.application.handlers import DueRow, Fired
from tuntas_chassis.persistence.database import Transaction


class DueCheckpoints(Protocol):
    """The checkpoints that may fire. Each method runs in the transaction of `connection`."""

    async def take(self, connection: Transaction, now: datetime, limit: int, /) -> tuple[Sequence[DueRow], bool]:
        """Take up to `limit` due checkpoints away, earliest first, with their cases locked; also whether more is due."""
        ...

    async def cases(self, connection: Transaction, now: datetime, limit: int, /) -> tuple[Sequence[UUID], bool]:
        """The cases of up to `limit` due checkpoints, and whether more is due; takes nothing away."""
        ...

    async def take_of(self, connection: Transaction, until: datetime, case_ids: Sequence[UUID], /) -> Sequence[DueRow]:
        """Take away what is due of these cases, but for cases that are being changed right now."""
        ...

    async def record_missed(self, connection: Transaction, missed: Sequence[Fired], /) -> None:
        """Note of clocks that they ran out unmet."""
        ...


class SetAsideCheckpoints(Protocol):
    """Where checkpoints are kept that this code can't handle."""

    async def put(self, connection: Transaction, rows: Sequence[tuple[DueRow, str]], /) -> None:
        """Keep checkpoints that were taken away in this transaction, each with its reason."""
        ...
