"""Triage's HTTP: the national queue, and what a national administrator does with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query

from triage.adapters.queue import FiledCase, QueueFilter, QueuePosition, QueueReader
from triage.application.handlers import Handlers
from triage.domain.case import Case
from triage.domain.register import Register
from triage.domain.verification import InvalidCommand
from triage.entrypoints.schemas import ArchiveRequest, CaseView, CategoryCode, CommandResult, ForwardRequest, QueuePage
from triage.metrics import count_outcome
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES, Problem
from tuntas_chassis.http.retry_keys import RetryKey
from tuntas_chassis.messaging.messages import Outcome
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.base import Actor
from tuntas_contracts.lifecycle import roles_of
from tuntas_contracts.vocabulary import CaseState, Classification, Role, Service, Transition

_log = logger(__name__)

Verifier = Annotated[Principal, Depends(require(*roles_of(Transition.T3, Service.TRIAGE)))]
Archiver = Annotated[Principal, Depends(require(*roles_of(Transition.T13, Service.TRIAGE)))]
IdempotencyKey = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key", description="A UUID of your choice: the same command again with it changes nothing, another is refused"
    ),
]
Decision = Callable[[Case, datetime], Outcome[Case]]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: PROBLEM_RESPONSES[status] for status in (401, 403, 503, *statuses)}


def routes(handlers: Handlers, executor: CommandExecutor[Case], reader: QueueReader, register: Register, metrics: MetricSet) -> APIRouter:
    """Every route of triage."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["triage"])

    async def known(case_id: UUID) -> FiledCase:
        filed = await reader.case(case_id)
        if filed is None:
            raise _no_case(case_id)
        return filed

    async def carry_out(case_id: UUID, retry_key: RetryKey | None, decision: Decision) -> CommandResult:
        decided: list[Outcome[Case]] = []

        def decide(case: Case | None, now: datetime) -> Outcome[Case]:
            if case is None:
                raise _no_case(case_id)
            decided.append(decision(case, now))
            return decided[-1]

        try:
            case = await executor.execute(str(case_id), decide, retry_key=retry_key)
        except InvalidCommand as error:
            raise Problem(422, f"The field {error.field} can't be right", error.detail, error.code) from error
        if case is None:
            raise _no_case(case_id)
        for outcome in decided:
            count_outcome(metrics, outcome)
        return CommandResult.of(case)

    @router.get("/queue", summary="The national queue, oldest deadline first", responses=_problems(422))
    async def queue(
        _principal: Verifier,
        classification: Classification | None = None,
        category: Annotated[CategoryCode | None, Query(description="This category and all below it")] = None,
        arbitration: bool | None = None,
        misconduct: bool | None = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> QueuePage:
        wanted = QueueFilter(classification, category, arbitration, misconduct)
        found = await reader.page(wanted, _position(cursor) if cursor else None, limit + 1)
        shown = found[:limit]
        more = len(found) > limit
        return QueuePage(cases=[CaseView.of(filed, register) for filed in shown], next_cursor=_cursor(shown[-1].case) if more else None)

    @router.get("/cases/{case_id}", summary="One case as triage knows it", responses=_problems(404, 422))
    async def case(case_id: UUID, _principal: Verifier) -> CaseView:
        return CaseView.of(await known(case_id), register)

    @router.post("/cases/{case_id}/forward", summary="Verify and route to an agency (T3)", responses=_problems(400, 404, 409, 413, 422))
    async def forward(case_id: UUID, body: ForwardRequest, principal: Verifier, idempotency_key: IdempotencyKey = None) -> CommandResult:
        report = (await known(case_id)).report
        retry_key = RetryKey.of(idempotency_key, principal.subject, "forward", case_id, body)
        result = await carry_out(
            case_id,
            retry_key,
            lambda case, now: handlers.forward(
                case, report, body.command(), _actor(principal), now, retry_key.command_id if retry_key else None
            ),
        )
        _log.info("case_forwarded", case_id=str(case_id), version=result.version, agency=result.agency)
        return result

    @router.post("/cases/{case_id}/archive", summary="Archive with a reason (T13)", responses=_problems(400, 404, 409, 413, 422))
    async def archive(case_id: UUID, body: ArchiveRequest, principal: Archiver, idempotency_key: IdempotencyKey = None) -> CommandResult:
        if body.duplicate_of is not None:
            await known(case_id)
            await _check_link(reader, body.duplicate_of)
        retry_key = RetryKey.of(idempotency_key, principal.subject, "archive", case_id, body)
        result = await carry_out(
            case_id,
            retry_key,
            lambda case, now: handlers.archive(case, body.command(), _actor(principal), now, retry_key.command_id if retry_key else None),
        )
        _log.info("case_archived", case_id=str(case_id), version=result.version, reason=body.reason.value)
        return result

    return router


async def _check_link(reader: QueueReader, duplicate_of: UUID) -> None:
    state = await reader.state(duplicate_of)
    if state is None:
        raise Problem(422, "No such case", f"duplicate_of {duplicate_of} is no case: name the case that stays open", "unknown_duplicate_of")
    if state is CaseState.ARCHIVED:
        detail = f"duplicate_of {duplicate_of} is archived itself: name the case that stays open"
        raise Problem(422, "The linked case is archived", detail, "archived_duplicate_of")


def _no_case(case_id: UUID) -> Problem:
    return Problem(404, "No such case", f"triage knows no case {case_id}; check the id, or wait until a new report is read", "unknown_case")


def _actor(principal: Principal) -> Actor:
    return Actor(role=Role.NATIONAL_ADMINISTRATOR, subject=principal.subject, agency=principal.agency)


def _cursor(case: Case) -> str:
    if case.queued_as is None:
        raise ValueError(f"case {case.case_id} is in the queue without a place in it")
    return encode_cursor([case.queued_as.isoformat(), str(case.case_id)])


def _position(cursor: str) -> QueuePosition:
    queued_as, case_id = decode_cursor(cursor, 2)
    try:
        return QueuePosition(datetime.fromisoformat(str(queued_as)).astimezone(UTC), UUID(str(case_id)))
    except (ValueError, OverflowError) as error:
        raise Problem(
            422, "The cursor is not valid", "Use `next_cursor` of the last page as it is, or leave `cursor` out.", "bad_cursor"
        ) from error
