"""What a reporter sees of a report: its state, and its history with every answer in full."""

from intake.adapters.access import AccessGate
from intake.adapters.store import read_history
from intake.domain.history import reply_possible_until, standing
from intake.views import HistoryItem, ReportStatus, StateLabels
from tuntas_chassis.database import Database
from tuntas_contracts.profile import load_profile
from tuntas_contracts.vocabulary import CaseState


class StatusReader:
    """Shows reports to those who hold their access codes."""

    def __init__(self, gate: AccessGate, database: Database, profile: str) -> None:
        self._gate = gate
        self._database = database
        self._reply_days = load_profile(profile).days("C6")

    async def read(self, tracking_id: str, access_code: str, source: str) -> ReportStatus:
        """The report's status; raises Problem 404 or 429."""
        report = await self._gate.open(tracking_id, access_code, source)
        async with self._database.read() as connection:
            history = await read_history(connection, report.case_id)
        now = standing(history)
        until = None
        if now.state is CaseState.RESPONDED and now.answered_at is not None:
            until = reply_possible_until(now.answered_at, now.time_zone, self._reply_days)
        return ReportStatus(
            tracking_id=report.tracking_id,
            case_id=report.case_id,
            classification=report.classification,
            title=report.title,
            submitted_at=report.submitted_at,
            state=StateLabels.of(now.state),
            version=now.version,
            agency=now.agency,
            updated_at=history[-1].occurred_at if history else report.submitted_at,
            reply_possible_until=until,
            history=[HistoryItem.submitted(report.submitted_at), *(HistoryItem.of(entry) for entry in history)],
        )
