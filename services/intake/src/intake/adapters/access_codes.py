"""The door to one report: tracking id and access code, with a limit on wrong tries that never holds up the right one."""

import os
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

from sqlalchemy import text

from intake.domain.receipts import access_code_matches, read_tracking_id
from intake.domain.wrong_tries import WINDOW_S, WrongTries
from intake.metrics import ACCESS_FAILURES
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import Classification

_FIND = text(
    "SELECT r.case_id, r.tracking_id, r.access_hash, r.reporter_ref, r.classification, r.title, r.submitted_at, r.assisted, r.profile "
    'FROM (SELECT CAST(:tracking_id AS text) COLLATE "C" AS tracking_id) AS t LEFT JOIN report r ON r.tracking_id = t.tracking_id'
)


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A report whose reporter has shown the access code."""

    case_id: UUID
    tracking_id: str
    reporter_ref: UUID
    classification: Classification
    title: str
    submitted_at: datetime
    assisted: bool
    profile: str


class AccessCodeVerifier:
    """Opens a report for who holds its access code. An unknown id and a wrong code look the same, and take the same time."""

    def __init__(self, database: Database, pepper: bytes, metrics: MetricSet) -> None:
        self._database = database
        self._pepper = pepper
        self._metrics = metrics
        self._nobody = UUID(bytes=os.urandom(16))
        self._no_hash = os.urandom(32)
        self._wrong_tries = WrongTries()

    async def open(self, tracking_id: str, access_code: str, source: str) -> OpenedReport:
        """The report; raises Problem 404 where the two do not go together, 429 after too many wrong tries from `source` or in all.

        The right code always opens, whatever was tried before and by whom: it costs one look-up by index and one HMAC.
        """
        known_form = read_tracking_id(tracking_id)
        if known_form is None:
            raise self._refused(source, "malformed")
        async with self._database.connect() as connection:
            row = (await connection.execute(_FIND, {"tracking_id": known_form})).one()
        right = access_code_matches(self._pepper, row.case_id or self._nobody, access_code, row.access_hash or self._no_hash)
        if not right or row.access_hash is None:
            raise self._refused(source, "wrong")
        return OpenedReport(
            row.case_id,
            row.tracking_id,
            row.reporter_ref,
            Classification(row.classification),
            row.title,
            row.submitted_at,
            row.assisted,
            row.profile,
        )

    def _refused(self, source: str, outcome: str) -> Problem:
        too_many = self._wrong_tries.add(source, monotonic())
        self._metrics.inc(ACCESS_FAILURES, "blocked" if too_many else outcome)
        return _too_many() if too_many else _not_found()


def _not_found() -> Problem:
    return Problem(
        404,
        "Laporan tidak ditemukan / No such report",
        "Nomor laporan dan kode akses tidak cocok; periksa keduanya pada tanda terima. "
        "The tracking id and the access code do not go together; check both on the receipt.",
        "no_such_report",
    )


def _too_many() -> Problem:
    return Problem(
        429,
        "Terlalu banyak percobaan / Too many tries",
        "Kode akses yang benar tetap diterima; periksa tanda terima, atau tunggu sepuluh menit. "
        "The right access code is still taken: check the receipt, or wait ten minutes.",
        "too_many_tries",
        headers={"Retry-After": str(int(WINDOW_S))},
    )
