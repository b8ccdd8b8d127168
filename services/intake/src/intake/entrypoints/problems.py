"""What HTTP answers where a use case did not do what it was asked (RFC 9457)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response

from intake.application import errors
from intake.domain.submission import LATE_ENTRY_DAYS
from intake.domain.wrong_tries import WINDOW_S
from tuntas_chassis.http.problems import Problem

_PROBLEMS: Final[Mapping[type[errors.IntakeError], Callable[[Any], Problem]]] = {
    errors.NoSuchReport: lambda _: Problem(
        404,
        "Laporan tidak ditemukan / No such report",
        "Nomor laporan dan kode akses tidak cocok; periksa keduanya pada tanda terima. "
        "The tracking id and the access code do not go together; check both on the receipt.",
        "no_such_report",
    ),
    errors.TooManyWrongCodes: lambda _: Problem(
        429,
        "Terlalu banyak percobaan / Too many tries",
        "Kode akses yang benar tetap diterima; periksa tanda terima, atau tunggu sepuluh menit. "
        "The right access code is still taken: check the receipt, or wait ten minutes.",
        "too_many_tries",
        headers={"Retry-After": str(int(WINDOW_S))},
    ),
    errors.RetryKeyReused: lambda error: Problem(
        422,
        f"The Idempotency-Key was used for another {error.what}",
        f"Send a new {error.what} with a new key; a key may be repeated only with the same body.",
        "idempotency_key_reused",
    ),
    errors.FutureIncident: lambda _: Problem(
        422,
        "The date of the incident lies ahead",
        "Give the day on which it happened as incident_date, or leave it out.",
        "future_date",
    ),
    errors.FutureReceipt: lambda _: Problem(
        422, "The time of receipt lies ahead", "Give the time at which the report was received by hand, or leave it out.", "future_date"
    ),
    errors.ReceivedTooLongAgo: lambda _: Problem(
        422,
        "The time of receipt lies too far back",
        f"Give a time of receipt at most {LATE_ENTRY_DAYS} days back; older reports come by the import of closed history.",
        "received_too_long_ago",
    ),
    errors.TrackingIdTaken: lambda _: Problem(
        503,
        "Not possible just now",
        "No free tracking id was found. Nothing was changed: send the report again.",
        "no_tracking_id",
        headers={"Retry-After": "1"},
    ),
    errors.UnknownCase: lambda error: Problem(
        404, "No such case", f"intake has no personal data for case {error.case_id}; check the id.", "unknown_case"
    ),
    errors.AnonymousReporter: lambda _: Problem(
        403, "The reporter is anonymous", "Write to the reporter through the case; their name is disclosed to no one.", "anonymous_report"
    ),
    errors.OtherAgencysCase: lambda _: Problem(
        403, "Not your agency's case", "The case does not lie with your agency; ask the national administrator.", "other_agency"
    ),
    errors.ReporterDataErased: lambda _: Problem(
        410, "The reporter's data is erased", "It was erased at the reporter's wish; the case goes on without.", "erased"
    ),
    errors.NothingToErase: lambda _: Problem(
        404, "Nothing to erase", "No such reporter, or their data is erased already.", "unknown_reporter"
    ),
}


def problem_of(error: errors.IntakeError) -> Problem:
    """The answer to an error of a use case."""
    return _PROBLEMS[type(error)](error)


def install_problems(app: FastAPI) -> None:
    """Answer every error of a use case as problem details."""

    @app.exception_handler(errors.IntakeError)
    async def _not_done(_request: Request, error: errors.IntakeError) -> Response:
        return problem_of(error).response()
