"""Removes what has served its time: receipts kept for retries, and old lines of the access log."""

from typing import Final

from sqlalchemy import text

from tuntas_chassis.persistence.database import Database

RECEIPT_HOURS: Final = 48

_PURGE_RECEIPTS = text("DELETE FROM idempotency WHERE created_at < now() - make_interval(hours => :hours)")
_PURGE_LOG = text("DELETE FROM access_log WHERE at < now() - make_interval(days => :days)")


class Maintenance:
    """Work of a periodic job. These times are real, not the platform's simulated business time."""

    def __init__(self, database: Database, access_log_days: int) -> None:
        self._database = database
        self._access_log_days = access_log_days

    async def purge(self) -> None:
        """Remove it now."""
        async with self._database.begin() as connection:
            await connection.execute(_PURGE_RECEIPTS, {"hours": RECEIPT_HOURS})
            await connection.execute(_PURGE_LOG, {"days": self._access_log_days})
