"""Rows of a service's periodic work that its code can't handle: set aside one by one, so that the others are processed.

Such a row is most often one that newer code wrote, met after a roll-back. It keeps its reason, is counted, is shown to operators, and is
tried again when the process starts, every hour, and when an operator says so: code that can handle it takes it up automatically.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from tuntas_chassis.http.answers import MAX_PAGE, Cursor, Line, Moment, Prose, Total
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import bad_cursor, decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import Role

_log = logger(__name__)
_RETRY_EVERY_S = 3_600.0
_MEASURED_EVERY_S = 15.0
_RETRIED_AT_ONCE = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_COUNTED, _PRESENT = "tuntas_rows_set_aside_total", "tuntas_set_aside_rows"


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """One row: `position` orders it among the others, `what` says what it is in codes, `reason` what was wrong with it."""

    position: str
    case_id: UUID
    what: str
    reason: str
    set_aside_at: datetime


class SetAsideRows(Protocol):
    """The rows of one kind that were set aside; `kind` names them in metrics."""

    kind: str

    async def number(self) -> int:
        """How many there are."""
        ...

    async def page(self, after: str, limit: int) -> Sequence[SetAsideRow]:
        """Rows behind the position `after` ("" is the beginning), in order of their positions. Raises ValueError for no position."""
        ...

    async def retry(self, limit: int) -> int:
        """Put up to `limit` of them back to be handled again; how many there were."""
        ...


def fault_of(error: BaseException) -> str:
    """A reason that can be stored and shown: the error's type and the beginning of its message, on one line."""
    return _CONTROL.sub(" ", f"{type(error).__name__}: {error}")[:200]


def count_set_aside(metrics: MetricSet, kind: str, number: int) -> None:
    """Count rows that were just set aside."""
    metrics.inc(_COUNTED, kind, by=number)


def show_set_aside(metrics: MetricSet, kind: str, number: int) -> None:
    """Say how many rows of a kind are set aside now."""
    metrics.set(_PRESENT, number, kind)


async def retry_all(rows: SetAsideRows) -> int:
    """Put all of them back; how many there were when it began."""
    left = await rows.number()
    retried = 0
    while retried < left and (number := await rows.retry(min(_RETRIED_AT_ONCE, left - retried))):
        retried += number
    if retried:
        _log.info("set_aside_rows_retried", kind=rows.kind, rows=retried)
    return retried


def serve_set_aside(app: ServiceApp, rows: SetAsideRows) -> None:
    """Put all of them back at the start and every hour, measure how many there are, and let operators see and retry them."""

    async def retry() -> None:
        await retry_all(rows)

    async def measure() -> None:
        show_set_aside(app.metrics, rows.kind, await rows.number())

    count_set_aside(app.metrics, rows.kind, 0)
    app.every("set-aside-retry", _RETRY_EVERY_S, retry)
    app.every("set-aside-gauge", _MEASURED_EVERY_S, measure)
    app.http.include_router(set_aside_routes(rows))


class SetAsideView(BaseModel):
    """A row that this code could not handle."""

    case_id: UUID
    what: Line
    reason: Prose
    set_aside_at: Moment


class SetAsidePage(BaseModel):
    """Rows that were set aside."""

    items: Annotated[list[SetAsideView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None


class Retried(BaseModel):
    """How many rows will be handled again."""

    retried: Total


def set_aside_routes(rows: SetAsideRows) -> APIRouter:
    """Look at what was set aside, and have it tried again."""
    problems: dict[int | str, dict[str, Any]] = {status: PROBLEM_RESPONSES[status] for status in (401, 403, 422, 503)}
    router = APIRouter(prefix="/v1/set-aside", route_class=JsonRoute, tags=["operations"], responses=problems)
    operator = Depends(require(Role.OPERATOR))

    @router.get("", summary="Rows that this code could not handle, with the reason", dependencies=[operator])
    async def list_rows(
        cursor: Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> SetAsidePage:
        try:
            found = await rows.page(str(decode_cursor(cursor, 1)[0]) if cursor else "", limit + 1)
        except ValueError as error:
            raise bad_cursor() from error
        shown = found[:limit]
        more = encode_cursor([shown[-1].position]) if len(found) > limit else None
        return SetAsidePage(items=[SetAsideView.model_validate(asdict(row)) for row in shown], next_cursor=more)

    @router.post("/retry", summary="Handle all of them again now")
    async def retry(principal: Annotated[Principal, operator]) -> Retried:
        _log.info("set_aside_retry_asked", kind=rows.kind, by=principal.subject)
        return Retried(retried=await retry_all(rows))

    return router
