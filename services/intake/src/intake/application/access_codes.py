"""The way to one report: tracking id and access code, with a limit on wrong tries that never holds up the right one."""

import os
from time import monotonic
from uuid import UUID

from intake.application.errors import IntakeError, NoSuchReport, TooManyWrongCodes
from intake.application.ports import Database, Reports, StoredReport
from intake.domain.receipts import access_code_matches, read_tracking_id
from intake.domain.wrong_tries import WrongTries
from intake.metrics import ACCESS_FAILURES
from tuntas_chassis.telemetry.metrics import MetricSet


class AccessCodeVerifier:
    """Opens a report for who holds its access code. An unknown id and a wrong code look the same, and take the same time."""

    def __init__(self, reports: Reports, database: Database, pepper: bytes, metrics: MetricSet) -> None:
        self._reports = reports
        self._database = database
        self._pepper = pepper
        self._metrics = metrics
        self._nobody = UUID(bytes=os.urandom(16))
        self._no_hash = os.urandom(32)
        self._wrong_tries = WrongTries()

    async def open(self, tracking_id: str, access_code: str, source: str) -> StoredReport:
        """The report. Raises NoSuchReport where the two do not go together, TooManyWrongCodes after too many tries from `source` or in all.

        The right code always opens, whatever was tried before and by whom: it costs one look-up by index and one HMAC.
        """
        known_form = read_tracking_id(tracking_id)
        if known_form is None:
            raise self._refused(source, "malformed")
        async with self._database.connect() as connection:
            report = await self._reports.find(connection, known_form)
        case_id, kept = (report.case_id, report.access_hash) if report else (self._nobody, None)
        right = access_code_matches(self._pepper, case_id, access_code, kept or self._no_hash)
        if report is None or kept is None or not right:
            raise self._refused(source, "wrong")
        return report

    def _refused(self, source: str, outcome: str) -> IntakeError:
        too_many = self._wrong_tries.add(source, monotonic())
        self._metrics.inc(ACCESS_FAILURES, "blocked" if too_many else outcome)
        return TooManyWrongCodes("too many wrong tries") if too_many else NoSuchReport("the tracking id and the access code do not match")
