"""Dispatch's HTTP for officers and agency systems: their cases, and what they do with them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query

from dispatch.adapters.case_queries import CaseQueries
from dispatch.application.handlers import Handlers
from dispatch.domain.case import Case, CommandContext
from dispatch.entrypoints.schemas import (
    AcceptRequest,
    AnswerRequest,
    CasePage,
    CaseStatus,
    CaseView,
    CommandRequest,
    FollowUpRequest,
    HandleRequest,
    ReturnRequest,
)
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.command_executor import CommandExecutor
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES, Problem
from tuntas_chassis.http.retry_keys import RetryKey
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.messages import Outcome
from tuntas_chassis.telemetry.logs import logger
from tuntas_contracts.base import Actor, AgencyCode
from tuntas_contracts.lifecycle import TRANSITIONS, roles_of
from tuntas_contracts.vocabulary import CaseState, Role, Service, Transition

_log = logger(__name__)

Accepting = Annotated[Principal, Depends(require(*roles_of(Transition.T4, Service.DISPATCH)))]
Handling = Annotated[Principal, Depends(require(*roles_of(Transition.T5, Service.DISPATCH)))]
Returning = Annotated[Principal, Depends(require(*roles_of(Transition.T10, Service.DISPATCH)))]
FollowingUp = Annotated[Principal, Depends(require(*roles_of(Transition.T14, Service.DISPATCH)))]
Answering = Annotated[Principal, Depends(require(*roles_of(Transition.T15, Service.DISPATCH)))]
Reader = Annotated[Principal, Depends(require(*roles_of(Transition.T15, Service.DISPATCH), Role.NATIONAL_ADMINISTRATOR))]
IdempotencyKey = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key", description="A UUID of your choice: the same command again with it changes nothing, another is refused"
    ),
]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: PROBLEM_RESPONSES[status] for status in (401, 403, 422, *statuses)}


_ON_COMMAND = _problems(400, 404, 409, 413)


def routes(handlers: Handlers, executor: CommandExecutor[Case], queries: CaseQueries) -> APIRouter:
    """Every route about cases."""
    router = APIRouter(prefix="/v1/cases", route_class=JsonRoute, tags=["cases"])

    async def carry_out(
        transition: Transition, case_id: UUID, request: CommandRequest, principal: Principal, key: UUID | None
    ) -> CaseStatus:
        verb = TRANSITIONS[transition].verb
        retry_key = RetryKey.of(key, principal.subject, verb, case_id, request)
        command = request.command(case_id)

        def decide(case: Case | None, now: datetime) -> Outcome[Case]:
            if case is None:
                raise _no_case(case_id)
            _act_for(principal, case.agency)
            act = CommandContext(_actor(principal, transition), now, retry_key.command_id if retry_key else new_id())
            return handlers.on_command(case, command, act, source="http")

        case = await executor.execute(str(case_id), decide, retry_key=retry_key)
        if case is None:
            raise _no_case(case_id)
        _log.info("case_commanded", case_id=str(case_id), command=verb, state=case.state, version=case.version)
        return CaseStatus.of(case)

    @router.get("", summary="An agency's cases, in order of state and time of receipt", responses=_problems())
    async def list_cases(
        principal: Reader,
        state: Annotated[CaseState | None, Query(description="Only cases in this state")] = None,
        agency: Annotated[AgencyCode | None, Query(description="Whose cases; your own agency's where it is left out")] = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CasePage:
        whose = agency or principal.agency
        if whose is None:
            raise Problem(422, "Whose cases?", "Your token names no agency: give the query parameter `agency`.", "agency_needed")
        principal.act_for(whose)
        found = await queries.page(whose, state, _position(cursor) if cursor else None, limit + 1)
        shown = found[:limit]
        last = shown[-1].case if len(found) > limit else None
        return CasePage(
            cases=[CaseView.of_stored(stored) for stored in shown],
            next_cursor=encode_cursor([last.state.value, str(last.case_id)]) if last else None,
        )

    @router.get("/{case_id}", summary="One case with its masked report", responses=_problems(404))
    async def read_case(case_id: UUID, principal: Reader) -> CaseView:
        stored = await queries.find(case_id)
        if stored is None:
            raise _no_case(case_id)
        principal.act_for(stored.case.agency)
        return CaseView.of_stored(stored)

    @router.post("/{case_id}/accept", summary="Accept a case for a unit (T4)", responses=_ON_COMMAND)
    async def accept(case_id: UUID, body: AcceptRequest, principal: Accepting, idempotency_key: IdempotencyKey = None) -> CaseStatus:
        return await carry_out(Transition.T4, case_id, body, principal, idempotency_key)

    @router.post("/{case_id}/handle", summary="Handle a case oneself (T5)", responses=_ON_COMMAND)
    async def handle(case_id: UUID, body: HandleRequest, principal: Handling, idempotency_key: IdempotencyKey = None) -> CaseStatus:
        return await carry_out(Transition.T5, case_id, body, principal, idempotency_key)

    @router.post("/{case_id}/return", summary="Return a case as bukan wewenang (T10)", responses=_ON_COMMAND)
    async def return_case(case_id: UUID, body: ReturnRequest, principal: Returning, idempotency_key: IdempotencyKey = None) -> CaseStatus:
        return await carry_out(Transition.T10, case_id, body, principal, idempotency_key)

    @router.post("/{case_id}/follow-up", summary="Record the first follow-up (T14)", responses=_ON_COMMAND)
    async def follow_up(case_id: UUID, body: FollowUpRequest, principal: FollowingUp, idempotency_key: IdempotencyKey = None) -> CaseStatus:
        return await carry_out(Transition.T14, case_id, body, principal, idempotency_key)

    @router.post("/{case_id}/answer", summary="Answer a case, or add to an answer (T15)", responses=_ON_COMMAND)
    async def answer(case_id: UUID, body: AnswerRequest, principal: Answering, idempotency_key: IdempotencyKey = None) -> CaseStatus:
        return await carry_out(Transition.T15, case_id, body, principal, idempotency_key)

    return router


def _act_for(principal: Principal, agency: str) -> None:
    """Only the agency's own officers act on its cases: a national administrator reads them, but does not act here."""
    if principal.agency != agency:
        raise Problem(403, "Another agency's case", "Your token's agency does not cover this case.", "other_agency")


def _actor(principal: Principal, transition: Transition) -> Actor:
    role = next(role for role in roles_of(transition, Service.DISPATCH) if role in principal.roles)
    return Actor(role=role, subject=principal.subject, agency=principal.agency)


def _no_case(case_id: UUID) -> Problem:
    return Problem(404, "No such case", f"dispatch knows no case {case_id}; take case ids from GET /v1/cases", "unknown_case")


def _position(cursor: str) -> tuple[str, UUID]:
    state, case_id = decode_cursor(cursor, 2)
    try:
        return CaseState(str(state)).value, UUID(str(case_id))
    except ValueError as error:
        raise Problem(
            422, "The cursor is not valid", "Use `next_cursor` of the last page as it is, or leave `cursor` out.", "bad_cursor"
        ) from error
