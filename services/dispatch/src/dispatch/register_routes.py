"""The agency register over HTTP, for everyone."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Query

from dispatch.adapters.register_store import read_one, read_page
from dispatch.domain.register_entries import AgencyKind
from dispatch.register_views import AgencyDetail, AgencyPage, AgencyView
from tuntas_chassis.database import Database
from tuntas_chassis.pagination import decode_cursor, encode_cursor
from tuntas_chassis.problems import PROBLEM_RESPONSES, Problem
from tuntas_contracts.categories import Sector

_CODE = r"^[a-z0-9][a-z0-9-]{1,38}$"


def register_routes(database: Database) -> APIRouter:
    """Every route about agencies; none needs a token."""
    router = APIRouter(prefix="/v1/agencies", tags=["agency register"])

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
    async def read_agency(code: Annotated[str, Path(pattern=_CODE, max_length=39)]) -> AgencyDetail:
        async with database.read() as connection:
            found = await read_one(connection, code)
        if found is None:
            raise Problem(404, "No such agency", f"The register has no agency {code!r}; see GET /v1/agencies.", "unknown_agency")
        return AgencyDetail.of_stored(*found)

    return router


def _position(cursor: str) -> str:
    (code,) = decode_cursor(cursor, 1)
    if not re.fullmatch(_CODE, str(code)):
        raise Problem(422, "The cursor is not valid", "Use `next_cursor` of the last page as it is, or leave `cursor` out.", "bad_cursor")
    return str(code)
