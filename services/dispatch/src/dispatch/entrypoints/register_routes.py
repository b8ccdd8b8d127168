"""The agency register over HTTP: read by everyone, changed by operators, its changes read by auditors."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from dispatch.adapters.register_audit import list_changes
from dispatch.adapters.register_store import read_one, read_page
from dispatch.application.register_changes import NotCaughtUp, RegisterChanges
from dispatch.domain.register import RegisterError, UnknownAgencyError
from dispatch.domain.register_changes import Author, StaleVersion
from dispatch.entrypoints.register_schemas import ChangeAgency, ChangePage, ChangeView, EnterAgencies, EnteredAgencies, EnteredAgency
from dispatch.entrypoints.register_views import AgencyDetail, AgencyPage, AgencyView
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.command_executor import catching_up
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import bad_cursor, decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES, Problem
from tuntas_chassis.persistence.database import Database
from tuntas_contracts.base import MAX_COUNT, AgencyCode
from tuntas_contracts.vocabulary import AgencyKind, Role
from tuntas_reference.categories import Sector

_CODE = r"^[a-z0-9][a-z0-9-]{1,38}$"
_MOST_FAULTS = 50
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]
Auditor = Annotated[Principal, Depends(require(Role.AUDITOR, Role.OPERATOR))]
Code = Annotated[str, Path(pattern=_CODE, max_length=39)]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description="The ETag of the agency as you read it: it is changed only if it is still so"),
]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: PROBLEM_RESPONSES[status] for status in statuses}


def register_routes(database: Database) -> APIRouter:
    """What everyone may read of agencies; none needs a token."""
    router = APIRouter(prefix="/v1/agencies", route_class=JsonRoute, tags=["agency register"])

    @router.get("", summary="Agencies, in order of their codes", responses={422: PROBLEM_RESPONSES[422]})
    async def list_agencies(
        kind: AgencyKind | None = None,
        sector: Sector | None = None,
        region: Annotated[
            str | None,
            Query(
                pattern=r"^[0-9]{2}(\.[0-9]{2})?$", max_length=5, description="Official region code; a province's includes its regencies"
            ),
        ] = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> AgencyPage:
        after = _position(cursor) if cursor else ""
        async with database.read() as connection:
            found = await read_page(connection, kind=kind, sector=sector, region=region, after=after, limit=limit + 1)
        shown = found[:limit]
        return AgencyPage(
            agencies=[AgencyView.of(stored) for stored in shown],
            next_cursor=encode_cursor([shown[-1].agency.code]) if len(found) > limit else None,
        )

    @router.get(
        "/{code}",
        summary="One agency with its units and who stands above it",
        responses={status: PROBLEM_RESPONSES[status] for status in (404, 422)},
    )
    async def read_agency(code: Code, response: Response) -> AgencyDetail:
        return await _detail(database, code, response)

    return router


def register_change_routes(database: Database, changes: RegisterChanges) -> APIRouter:
    """How the register is changed, and what was changed; every change has its line there, and its event."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["agency register"])

    @router.post(
        "/agencies", summary="Bring agencies in or change them, all or none", responses=_problems(400, 401, 403, 409, 413, 422, 503)
    )
    async def enter(body: EnterAgencies, operator: Operator) -> EnteredAgencies:
        try:
            done = await changes.enter([entry.wanted() for entry in body.agencies], Author(operator.subject, body.reason))
        except NotCaughtUp as error:
            raise catching_up() from error
        except RegisterError as error:
            raise _faulty(error) from error
        except StaleVersion as error:
            raise Problem(409, "Changed meanwhile", f"Nothing was changed: {error}.", "stale_version") from error
        return EnteredAgencies(agencies=[EnteredAgency.of(change) for change in done])

    @router.patch("/agencies/{code}", summary="Change one agency", responses=_problems(400, 401, 403, 404, 412, 413, 422, 428, 503))
    async def change(code: Code, body: ChangeAgency, operator: Operator, response: Response, if_match: IfMatch = None) -> AgencyDetail:
        if if_match is None:
            raise Problem(428, "Which version?", "Send the ETag of GET /v1/agencies/{code} as If-Match.", "if_match_needed")
        version = if_match.strip().strip('"')
        try:
            await changes.change(code, lambda stored: body.wanted(stored, version), Author(operator.subject, body.reason))
        except NotCaughtUp as error:
            raise catching_up() from error
        except UnknownAgencyError as error:
            raise _unknown(code) from error
        except RegisterError as error:
            raise _faulty(error) from error
        except StaleVersion as error:
            raise Problem(412, "Changed meanwhile", f"Nothing was changed: {error}.", "stale_version") from error
        return await _detail(database, code, response)

    @router.get("/agency-changes", summary="Who changed which agency, when and why, oldest first", responses=_problems(401, 403, 422))
    async def read_changes(
        _auditor: Auditor,
        code: Annotated[AgencyCode | None, Query(description="Only of this agency")] = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ChangePage:
        after = _line(cursor) if cursor else 0
        async with database.read() as connection:
            found = await list_changes(connection, code=code, after=after, limit=limit + 1)
        shown = found[:limit]
        return ChangePage(
            changes=[ChangeView.of(record) for record in shown],
            next_cursor=encode_cursor([shown[-1].id]) if len(found) > limit else None,
        )

    return router


async def _detail(database: Database, code: str, response: Response) -> AgencyDetail:
    async with database.read() as connection:
        found = await read_one(connection, code)
    if found is None:
        raise _unknown(code)
    response.headers["ETag"] = f'"{found[0].version}"'
    return AgencyDetail.of_stored(*found)


def _unknown(code: str) -> Problem:
    return Problem(404, "No such agency", f"The register has no agency {code!r}; see GET /v1/agencies.", "unknown_agency")


def _faulty(error: RegisterError) -> Problem:
    errors = [{"field": fault.file, "message": fault.message} for fault in error.faults[:_MOST_FAULTS]]
    detail = f"Nothing was changed: {len(error.faults)} faults, by agency under `errors`. Correct them and send it again."
    return Problem(422, "The register can't take this", detail, "register_faults", errors=errors)


def _line(cursor: str) -> int:
    (line,) = decode_cursor(cursor, 1)
    if not isinstance(line, int) or not 0 <= line <= MAX_COUNT:
        raise bad_cursor()
    return line


def _position(cursor: str) -> str:
    (code,) = decode_cursor(cursor, 1)
    if not re.fullmatch(_CODE, str(code)):
        raise Problem(422, "The cursor is not valid", "Use `next_cursor` of the last page as it is, or leave `cursor` out.", "bad_cursor")
    return str(code)
