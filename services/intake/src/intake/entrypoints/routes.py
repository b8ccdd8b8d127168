"""Intake's HTTP: reports and receipts, status, what reporters do with answers, and who may learn who reported."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import ValidationError

from intake.application.commands import SubmitReport
from intake.application.disclosure import Disclosures
from intake.application.handlers import Submissions
from intake.application.ports import Read
from intake.application.reporter_inputs import ReporterInputs
from intake.application.status import StatusReader
from intake.domain.submission import is_manual
from intake.entrypoints.schemas import (
    ConfirmAnswer,
    ContactLookup,
    ContactsFound,
    DisclosedReporter,
    DiscloseReporter,
    InputAccepted,
    Receipt,
    ReplyToAnswer,
    ReportStatus,
)
from tuntas_chassis.http.auth import Principal, optional_principal, require
from tuntas_chassis.http.client_address import ClientAddresses
from tuntas_chassis.http.hot_routes import HotRoute
from tuntas_chassis.http.json_routes import JsonRoute, refuse_ambiguous
from tuntas_chassis.http.pagination import bad_cursor, decode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES, Problem, ProblemDetails
from tuntas_contracts.vocabulary import Channel, Role

_PRINTABLE: Final = re.compile(r"[\x20-\x7e]{1,200}")
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_BEARER: Final = HTTPBearer(auto_error=False)
_KEY_DESCRIPTION: Final = (
    "1–200 printable characters that nobody else guesses, such as a UUID: a retry with the same key and body gets the same answer"
)

TrackingId = Annotated[str, Path(max_length=40, description="As on the receipt; small letters and missing hyphens are understood")]
AccessCode = Annotated[str, Header(alias="X-Access-Code", min_length=1, max_length=40, description="As on the receipt")]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", pattern=r"^[\x20-\x7e]{1,200}$", max_length=200, description=_KEY_DESCRIPTION)
]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
Notifier = Annotated[Principal, Depends(require(Role.SERVICE))]
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]
CaseOfficer = Annotated[Principal, Depends(require(Role.AGENCY_ADMINISTRATOR, Role.LIAISON_OFFICER, Role.NATIONAL_ADMINISTRATOR))]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: PROBLEM_RESPONSES[status] for status in statuses}


def submission_route(submissions: Submissions, public_url: str) -> HotRoute:
    """The route that takes every report in. `public_url` is where reporters reach this service, before /v1."""
    status_url = public_url.rstrip("/") + "/v1/reports/"

    async def submit(request: Request, report: SubmitReport, token: Bearer = None, idempotency_key: IdempotencyKey = None) -> Receipt:
        """Public for the channels web and mobile; other channels need the token of a clerk.

        Answers with the receipt: tracking id, access code, and what was masked.
        """
        entered_by = await _enterer(request, report.channel, token) if is_manual(report.channel) else None
        receipt = await submissions.submit(report, entered_by, idempotency_key)
        return Receipt.of(receipt, status_url + receipt.tracking_id)

    async def handle(request: Request) -> Response:
        token = await _BEARER(request) if "authorization" in request.headers else None
        receipt = await submit(request, await _report_in(request), token, _idempotency_key(request))
        return Response(receipt.model_dump_json(), 201, media_type="application/json", headers={"Location": receipt.status_url})

    return HotRoute(
        "/v1/reports",
        submit,
        handle,
        methods=["POST"],
        status_code=201,
        tags=["intake"],
        summary="Submit a report (laporan)",
        response_model=Receipt,
        responses=_problems(400, 401, 403, 413, 422, 503) | {415: {"description": "Not JSON", "model": ProblemDetails}},
        openapi_extra={"security": [{}]},  # the token is optional
    )


def routes(status: StatusReader, inputs: ReporterInputs, disclosures: Disclosures, clients: ClientAddresses) -> APIRouter:
    """Every other route of intake."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["intake"])

    @router.get("/reports/{tracking_id}", summary="Status and history of a report", responses=_problems(404, 422, 429))
    async def read_status(
        request: Request,
        tracking_id: TrackingId,
        access_code: AccessCode,
        cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before: earlier events")] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="How many events of the history")] = 50,
    ) -> ReportStatus:
        before = _version(cursor) if cursor else None
        return ReportStatus.of(await status.read(tracking_id, access_code, clients.source_of(request), before=before, limit=limit))

    @router.post(
        "/reports/{tracking_id}/reply",
        status_code=202,
        summary="Reply to an answer (T16)",
        responses=_problems(400, 404, 409, 413, 422, 429),
    )
    async def reply(
        request: Request, tracking_id: TrackingId, access_code: AccessCode, body: ReplyToAnswer, idempotency_key: IdempotencyKey = None
    ) -> InputAccepted:
        return InputAccepted.of(await inputs.reply(tracking_id, access_code, body.text, idempotency_key, clients.source_of(request)))

    @router.post(
        "/reports/{tracking_id}/confirmation",
        status_code=202,
        summary="Confirm an answer and rate it (T18)",
        responses=_problems(400, 404, 409, 413, 422, 429),
    )
    async def confirm(
        request: Request, tracking_id: TrackingId, access_code: AccessCode, body: ConfirmAnswer, idempotency_key: IdempotencyKey = None
    ) -> InputAccepted:
        return InputAccepted.of(await inputs.confirm(tracking_id, access_code, body.rating, idempotency_key, clients.source_of(request)))

    @router.post("/contacts/lookup", summary="Contacts of reporters, to notify them", responses=_problems(400, 401, 403, 413, 422))
    async def look_up_contacts(body: ContactLookup, reader: Notifier) -> ContactsFound:
        reads = [Read(item.reporter_ref, item.case_id, item.purpose) for item in body.contacts]
        codes_wanted = {item.case_id for item in body.contacts if item.access_code}
        return ContactsFound.of(body.contacts, await disclosures.contacts(reads, codes_wanted, reader))

    @router.post(
        "/cases/{case_id}/reporter-disclosure",
        summary="Who reported: one reporter, with a reason, logged",
        responses=_problems(400, 401, 403, 404, 413, 422) | {410: {"description": "The data is erased", "model": ProblemDetails}},
    )
    async def disclose_reporter(case_id: UUID, body: DiscloseReporter, officer: CaseOfficer) -> DisclosedReporter:
        own = await disclosures.reporter_of(case_id, body.reason, officer)
        return DisclosedReporter(case_id=case_id, name=own.name, email=own.email, phone=own.phone)

    @router.delete(
        "/reporters/{reporter_ref}",
        status_code=204,
        summary="Erase a reporter's personal data (UU 27/2022)",
        responses=_problems(401, 403, 404, 422),
    )
    async def erase_reporter(reporter_ref: UUID, _operator: Operator) -> None:
        await disclosures.erase(reporter_ref)

    return router


def _version(cursor: str) -> int:
    [version] = decode_cursor(cursor, 1)
    if not isinstance(version, int) or not 0 < version < 2**31:
        raise bad_cursor()
    return version


async def _report_in(request: Request) -> SubmitReport:
    content_type = request.headers.get("content-type", "application/json")
    if not _JSON.fullmatch(content_type):
        raise Problem(415, "Not JSON", "Send a JSON object with Content-Type application/json.", "not_json")
    body = await request.body()
    refuse_ambiguous(body)
    try:
        return SubmitReport.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False, include_input=False)) from None


async def _enterer(request: Request, channel: Channel, token: HTTPAuthorizationCredentials | None) -> Principal:
    """The officer, or the agency's application, that enters a report received over a manual channel; raises Problem 401 or 403."""
    principal = await optional_principal(request, token)
    if principal is None:
        raise Problem(
            401,
            "Not authorised",
            f"Reports of the channel {channel.value} are entered by a clerk: send a bearer token, or use the channel web.",
            "not_authorised",
            headers={"WWW-Authenticate": 'Bearer realm="tuntas"'},
        )
    allowed = {Role.CLERK, Role.AGENCY_SYSTEM} if channel is Channel.AGENCY_APPLICATION else {Role.CLERK}
    if not principal.roles & allowed:
        raise Problem(403, "Not allowed", f"This needs one of the roles: {', '.join(sorted(allowed))}.", "wrong_role")
    return principal


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _PRINTABLE.fullmatch(key):
        raise Problem(422, "The Idempotency-Key is not valid", "Send 1 to 200 printable ASCII characters, or leave it out.", "bad_key")
    return key
