"""The notifier's HTTP: the notices of a case."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from notifier.adapters.history import NoticeHistory
from notifier.domain.mailboxes import OFFICERS_OF_AGENCIES
from notifier.entrypoints.schemas import NoticePage, NoticeView
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES, Problem
from tuntas_contracts.vocabulary import Role

_OF_ALL_AGENCIES = (Role.NATIONAL_ADMINISTRATOR, Role.AUDITOR, Role.SERVICE)
Reader = Annotated[Principal, Depends(require(*_OF_ALL_AGENCIES, *sorted(OFFICERS_OF_AGENCIES)))]
_PROBLEMS: dict[int | str, dict[str, Any]] = {status: PROBLEM_RESPONSES[status] for status in (401, 403, 404, 422, 503)}


def routes(history: NoticeHistory) -> APIRouter:
    """Every route of the notifier."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["notifier"])

    @router.get("/cases/{case_id}/notices", summary="The notices of a case, to which role, and when", responses=_PROBLEMS)
    async def notices(
        case_id: UUID,
        principal: Reader,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> NoticePage:
        after = _position(cursor) if cursor else None
        case = await history.case(case_id)
        if case is None:
            detail = f"The notifier knows no case {case_id}; check the id, or wait until a new report is read."
            raise Problem(404, "No such case", detail, "unknown_case")
        if not principal.roles.intersection(_OF_ALL_AGENCIES):
            _check_scope(principal, case.agency)
        found = await history.of_case(case_id, after=after, limit=limit + 1)
        shown = found[:limit]
        more = len(found) > limit
        return NoticePage(
            notices=[NoticeView.of(record) for record in shown],
            next_cursor=encode_cursor([str(shown[-1].notice_id)]) if more else None,
        )

    return router


def _check_scope(principal: Principal, agency: str | None) -> None:
    if agency is None:
        raise Problem(403, "The case is at the centre", "No agency has this case now; ask a national administrator.", "other_agency")
    principal.act_for(agency)


def _position(cursor: str) -> UUID:
    (notice_id,) = decode_cursor(cursor, 1)
    try:
        return UUID(str(notice_id))
    except ValueError as error:
        detail = "Use `next_cursor` of the last page as it is, or leave `cursor` out."
        raise Problem(422, "The cursor is not valid", detail, "bad_cursor") from error
