"""What a reporter sees of a report: its state, and its history with every answer in full, page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from intake.application.access_codes import AccessCodeVerifier
from intake.application.ports import CaseHistory, Database, StoredReport
from intake.domain.history import CaseStatus, HistoryEntry, reply_possible_until
from tuntas_contracts.vocabulary import CaseState
from tuntas_reference.calendar import WorkingCalendar


class StatusPage(NamedTuple):
    """A report with one page of its history. `more`: there are earlier events than these."""

    report: StoredReport
    status: CaseStatus
    reply_possible_until: datetime | None
    entries: Sequence[HistoryEntry]
    more: bool


class StatusReader:
    """Shows reports to those who hold their access codes; dates are counted on the calendar that the clocks run on."""

    def __init__(self, gate: AccessCodeVerifier, history: CaseHistory, database: Database, calendar: WorkingCalendar) -> None:
        self._gate = gate
        self._history = history
        self._database = database
        self._calendar = calendar

    async def read(self, tracking_id: str, access_code: str, source: str, *, before: int | None, limit: int) -> StatusPage:
        """The report's status with its newest events of a version below `before`; raises NoSuchReport or TooManyWrongCodes."""
        report = await self._gate.open(tracking_id, access_code, source)
        async with self._database.read() as connection:
            now = await self._history.status(connection, report.case_id)
            found = await self._history.page(connection, report.case_id, before=before, limit=limit + 1)
        until = None
        if now.state is CaseState.RESPONDED and now.answered_at is not None:
            until = reply_possible_until(self._calendar, report.profile, now.answered_at, now.time_zone)
        return StatusPage(report, now, until, found[-limit:], more=len(found) > limit)
