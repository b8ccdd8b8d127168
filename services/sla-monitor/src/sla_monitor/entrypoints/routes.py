"""The SLA monitor's HTTP: a case's clocks for those on the case, figures and the working calendar for everyone."""

from datetime import date, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from fastapi import Path as PathParameter
from starlette.responses import Response

from sla_monitor.adapters.clock_queries import NEWEST, ClockQueries, StoredCase
from sla_monitor.adapters.figures import FigureReader, Period
from sla_monitor.domain.deadlines import DeadlinePlanner
from sla_monitor.domain.warnings import warnings_of
from sla_monitor.entrypoints.schemas import CalendarView, CaseClocksView, FiguresView, RunView
from tuntas_chassis.clock import Clock
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import bad_cursor, decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES, Problem
from tuntas_contracts.base import EARLIEST, LATEST, AgencyCode
from tuntas_contracts.vocabulary import AGENCY_ROLES, Role
from tuntas_contracts.vocabulary import Clock as Clocks
from tuntas_reference.deadlines import NATIONAL_TIME_ZONE, zone_of

_NATIONAL = frozenset({Role.NATIONAL_ADMINISTRATOR, Role.AUDITOR, Role.SERVICE})
_LONGEST_DAYS = 3_660
_EARLIEST, _LATEST = EARLIEST.date(), LATEST.date()
Reader = Annotated[Principal, Depends(require(*AGENCY_ROLES, *_NATIONAL))]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: PROBLEM_RESPONSES[status] for status in statuses}


def case_routes(queries: ClockQueries, planner: DeadlinePlanner, clock: Clock) -> APIRouter:
    """The clocks of one case."""
    router = APIRouter(prefix="/v1/cases", route_class=JsonRoute, tags=["cases"])

    @router.get(
        "/{case_id}/clocks",
        summary="The running and ended clocks of a case, with their deadlines and warnings",
        responses=_problems(401, 403, 404, 422),
    )
    async def read_clocks(
        case_id: UUID,
        principal: Reader,
        cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before: earlier runs")] = None,
        limit: Annotated[int, Query(ge=1, le=50, description="How many runs of each clock")] = 20,
    ) -> CaseClocksView:
        stored = await queries.find(case_id, _befores(cursor), limit)
        if stored is None:
            raise Problem(
                404, "No such case", f"No clock ran for case {case_id}; take case ids from your queue or case list.", "unknown_case"
            )
        _may_read(principal, stored)
        now = clock.now()
        return CaseClocksView(
            case_id=stored.case_id,
            version=stored.version,
            state=stored.state,
            agency=stored.agency,
            time_zone=stored.time_zone,
            calendar_version=planner.calendar.version,
            clocks=[RunView.of(run, warnings_of(planner, run, stored.time_zone, stored.opened), now) for run in stored.runs],
            next_cursor=encode_cursor([stored.earlier.get(clock, 0) for clock in Clocks]) if stored.earlier else None,
        )

    return router


def _befores(cursor: str | None) -> dict[Clocks, int]:
    """Before which deadline version the runs of each clock are read; a clock of which all was shown is left out."""
    if cursor is None:
        return dict.fromkeys(Clocks, NEWEST)
    values = decode_cursor(cursor, len(Clocks))
    befores = {clock: value for clock, value in zip(Clocks, values, strict=True) if isinstance(value, int) and 0 < value <= NEWEST}
    if not befores:
        raise bad_cursor()
    return befores


def _may_read(principal: Principal, stored: StoredCase) -> None:
    if principal.roles & _NATIONAL:
        return
    if stored.agency is None:
        raise Problem(403, "The case lies at the centre", "No agency has this case now; ask a national administrator.", "other_agency")
    principal.act_for(stored.agency)


def public_routes(figures: FigureReader, planner: DeadlinePlanner, clock: Clock) -> APIRouter:
    """What everyone may see."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["public"])

    @router.get(
        "/figures",
        summary="Aggregated figures of a period, as JSON or CSV",
        response_model=FiguresView,
        responses={
            200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
            304: {"description": "Unchanged since the answer of that `ETag`"},
            **_problems(422, 503),
        },
    )
    async def read_figures(
        first_day: Annotated[
            date | None,
            Query(alias="from", ge=_EARLIEST, lt=_LATEST, description="First day, Jakarta time; the first of January where it is left out"),
        ] = None,
        last_day: Annotated[
            date | None, Query(alias="to", ge=_EARLIEST, lt=_LATEST, description="Last day, included; today where it is left out")
        ] = None,
        agency: Annotated[AgencyCode | None, Query(description="One agency; all where it is left out")] = None,
        accept: Annotated[str, Header(max_length=500, description="`text/csv` for CSV")] = "application/json",
        if_none_match: Annotated[
            str, Header(max_length=2_000, description="The `ETag` of an earlier answer: 304 where it still holds")
        ] = "",
    ) -> Response:
        zone = zone_of(NATIONAL_TIME_ZONE)
        today = clock.now().astimezone(zone).date()
        last = last_day or max(today, first_day or today)
        first = first_day or date(last.year, 1, 1)
        if not (date.min < first and last < date.max and timedelta() <= last - first <= timedelta(days=_LONGEST_DAYS)):
            detail = f"Give `from` not after `to`, and at most {_LONGEST_DAYS:,} days between them."
            raise Problem(422, "Not a period", detail, "bad_period")
        view = FiguresView.of(first, last, agency, await figures.read(Period(first, last, agency)))
        csv = _wants_csv(accept)
        body = view.as_csv() if csv else view.model_dump_json(by_alias=True)
        headers = {
            "Vary": "Accept",
            "ETag": f'"{sha256(body.encode()).hexdigest()[:32]}"',
            "Cache-Control": f"public, max-age={int(figures.keep_s)}",
        }
        if headers["ETag"] in [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="text/csv" if csv else "application/json", headers=headers)

    @router.get("/calendar/{year}", summary="One year of the working calendar, with its version", responses=_problems(404, 422))
    async def read_calendar(year: Annotated[int, PathParameter(ge=1, le=9999)]) -> CalendarView:
        calendar = planner.calendar
        if not calendar.first_year <= year <= calendar.last_year:
            detail = f"The calendar holds the years {calendar.first_year} to {calendar.last_year}."
            raise Problem(404, "No such year", detail, "unknown_year")
        return CalendarView.of(calendar, year)

    return router


def _wants_csv(accept: str) -> bool:
    """Whether CSV is named before JSON; quality values are not weighed."""
    kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    named = next((kind for kind in kinds if kind in ("text/csv", "application/json")), "application/json")
    return named == "text/csv"
