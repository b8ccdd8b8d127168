"""What a reporter sees of a report: its state, and its history with every answer in full, page by page."""

from intake.adapters.access_codes import AccessCodeVerifier
from intake.adapters.store import read_case_status, read_page
from intake.domain.history import reply_possible_until
from intake.entrypoints.schemas import HistoryItem, ReportStatus, StateLabels
from tuntas_chassis.http.pagination import bad_cursor, decode_cursor, encode_cursor
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.vocabulary import CaseState
from tuntas_reference.calendar import WorkingCalendar


class StatusReader:
    """Shows reports to those who hold their access codes; dates are counted on the calendar that the clocks run on."""

    def __init__(self, gate: AccessCodeVerifier, database: Database, calendar: WorkingCalendar) -> None:
        self._gate = gate
        self._database = database
        self._calendar = calendar

    async def read(self, tracking_id: str, access_code: str, source: str, *, cursor: str | None, limit: int) -> ReportStatus:
        """The report's status with one page of its history; raises Problem 404, 422 or 429."""
        report = await self._gate.open(tracking_id, access_code, source)
        before = _version(cursor) if cursor else None
        async with self._database.read() as connection:
            now = await read_case_status(connection, report.case_id)
            found = await read_page(connection, report.case_id, before=before, limit=limit + 1)
        more, shown = len(found) > limit, found[-limit:]
        until = None
        if now.state is CaseState.RESPONDED and now.answered_at is not None:
            until = reply_possible_until(self._calendar, report.profile, now.answered_at, now.time_zone)
        return ReportStatus(
            tracking_id=report.tracking_id,
            case_id=report.case_id,
            classification=report.classification,
            title=report.title,
            submitted_at=report.submitted_at,
            state=StateLabels.of(now.state),
            version=now.version,
            agency=now.agency,
            updated_at=now.updated_at or report.submitted_at,
            reply_possible_until=until,
            history=[*([] if more else [HistoryItem.submitted(report.submitted_at)]), *(HistoryItem.of(entry) for entry in shown)],
            next_cursor=encode_cursor([shown[0].version]) if more else None,
        )


def _version(cursor: str) -> int:
    [version] = decode_cursor(cursor, 1)
    if not isinstance(version, int) or not 0 < version < 2**31:
        raise bad_cursor()
    return version
