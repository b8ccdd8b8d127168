"""The door to one report: tracking id and access code, with a limit on wrong tries kept in the database."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from intake.domain.receipts import access_code_matches, read_tracking_id
from intake.metrics import ACCESS_FAILURES
from tuntas_chassis.database import Database
from tuntas_chassis.metrics import MetricSet
from tuntas_chassis.problems import Problem
from tuntas_contracts.vocabulary import Classification

WRONG_TRIES: Final = 10
WINDOW_S: Final = 600

_FIND = text(
    "SELECT r.case_id, r.tracking_id, r.access_hash, r.reporter_ref, r.classification, r.title, r.submitted_at, "
    "f.failures >= :tries AND f.since > now() - make_interval(secs => :window) AS blocked "
    'FROM (SELECT CAST(:tracking_id AS text) COLLATE "C" AS tracking_id) AS t '
    "LEFT JOIN report r ON r.tracking_id = t.tracking_id LEFT JOIN access_failure f ON f.tracking_id = t.tracking_id"
)
_COUNT_FAILURE = text(
    "INSERT INTO access_failure AS f (tracking_id, failures, since) VALUES (:tracking_id, 1, now()) "
    "ON CONFLICT (tracking_id) DO UPDATE SET "
    "failures = CASE WHEN f.since > now() - make_interval(secs => :window) THEN f.failures + 1 ELSE 1 END, "
    "since = CASE WHEN f.since > now() - make_interval(secs => :window) THEN f.since ELSE now() END RETURNING failures"
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


class AccessGate:
    """Opens a report for who holds its access code. An unknown id and a wrong code look the same, and take the same time."""

    def __init__(self, database: Database, pepper: bytes, metrics: MetricSet) -> None:
        self._database = database
        self._pepper = pepper
        self._metrics = metrics
        self._nobody = UUID(bytes=os.urandom(16))
        self._no_hash = os.urandom(32)

    async def open(self, tracking_id: str, access_code: str) -> OpenedReport:
        """The report; raises Problem 404 where the two do not go together, 429 after too many wrong tries."""
        known_form = read_tracking_id(tracking_id)
        if known_form is None:
            self._metrics.inc(ACCESS_FAILURES, "malformed")
            raise _not_found()
        async with self._database.connect() as connection:
            row = (await connection.execute(_FIND, {"tracking_id": known_form, "tries": WRONG_TRIES, "window": float(WINDOW_S)})).one()
        if row.blocked:
            self._metrics.inc(ACCESS_FAILURES, "blocked")
            raise _too_many()
        right = access_code_matches(self._pepper, row.case_id or self._nobody, access_code, row.access_hash or self._no_hash)
        if right and row.access_hash is not None:
            return OpenedReport(
                row.case_id, row.tracking_id, row.reporter_ref, Classification(row.classification), row.title, row.submitted_at
            )
        async with self._database.begin() as connection:
            counted = await connection.execute(_COUNT_FAILURE, {"tracking_id": known_form, "window": float(WINDOW_S)})
            failures: int = counted.scalar_one()
        self._metrics.inc(ACCESS_FAILURES, "wrong")
        raise _too_many() if failures > WRONG_TRIES else _not_found()


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
        "Tunggu sepuluh menit, lalu coba lagi dengan kode akses pada tanda terima. "
        "Wait ten minutes, then try again with the access code on the receipt.",
        "too_many_tries",
        headers={"Retry-After": str(WINDOW_S)},
    )
