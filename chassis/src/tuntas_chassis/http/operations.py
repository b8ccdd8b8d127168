"""The endpoints that every service has for its operators: health, metrics, parked messages."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from tuntas_chassis.http.answers import MAX_FEW, MAX_PAGE, Code, Cursor, Line, Moment, Prose, Total
from tuntas_chassis.http.auth import Principal, require
from tuntas_chassis.http.dead_letters import DeadLetterQueue
from tuntas_chassis.http.json_routes import JsonRoute
from tuntas_chassis.http.pagination import bad_cursor, decode_cursor, encode_cursor
from tuntas_chassis.http.problems import PROBLEM_RESPONSES
from tuntas_chassis.messaging.dead_letters import ParkedMessage
from tuntas_chassis.messaging.kafka import MAX_MESSAGE_BYTES
from tuntas_chassis.messaging.masked_message import masked_headers, masked_value
from tuntas_contracts.vocabulary import Role

Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]
Auditor = Annotated[Principal, Depends(require(Role.AUDITOR))]
_ZERO = UUID(int=0)
_REFUSALS = (400, 401, 403, 404, 409, 413, 422)


Whole = Annotated[str, Field(max_length=2 * MAX_MESSAGE_BYTES)]
"""Any part of a message, in base64."""


class ParkedView(BaseModel):
    """A parked message, without its content."""

    id: UUID
    consumer: Code
    topic: Line
    partition: Total
    offset: Total
    key: Line | None
    error_type: Code
    error: Prose
    attempts: Total
    state: Code
    parked_at: Moment
    bytes: Total | None
    resolved_at: Moment | None
    resolved_by: Line | None
    resolution_reason: Line | None


class ParkedPage(BaseModel):
    """Parked messages, oldest first."""

    items: Annotated[list[ParkedView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None


class ParkedShape(ParkedView):
    """One of them, with the shape of what it holds (see `masked_message`)."""

    position: Line
    headers: Annotated[dict[Line, Line], Field(max_length=MAX_FEW)]
    value: Any


class ParkedContent(BaseModel):
    """What it holds, as it came."""

    headers_base64: Annotated[list[tuple[Whole, Whole]], Field(max_length=MAX_MESSAGE_BYTES)]
    value_base64: Whole


class AccessView(BaseModel):
    """Who read the content of which message."""

    id: UUID
    at: Moment
    subject: Line
    reason: Line
    message_id: UUID
    consumer: Code
    topic: Line
    partition: Total
    offset: Total
    key: Line | None


class AccessPage(BaseModel):
    """Who read what, oldest first."""

    items: Annotated[list[AccessView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None


class Resumed(BaseModel):
    """How many partitions were resumed."""

    resumed: Total


class Resolution(BaseModel):
    """Why a message is replayed or discarded, for those who ask later; never anything of its content."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class Reading(BaseModel):
    """Why somebody reads the content of a message."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Discarding(Resolution):
    """Which others of the key go with it."""

    also: Annotated[list[UUID], Field(max_length=500)] = Field(default_factory=list)


class ReplayAnswer(BaseModel):
    """What a replay or discard led to."""

    replayed: Total
    waiting: Total
    error: Prose | None


def health_routes(
    alive: Callable[[], str | None],
    ready: Callable[[], Awaitable[dict[str, str]]],
    registry: CollectorRegistry,
    report: Callable[[], Awaitable[None]],
) -> APIRouter:
    """`/livez`, `/readyz`, `/metrics`. `alive` and `ready` give reasons why not; nothing means yes."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", summary="Whether the process makes progress")
    async def livez() -> Response:
        reason = alive()
        return JSONResponse({"status": "ok" if reason is None else reason}, 200 if reason is None else 503)

    @router.get("/readyz", summary="Whether the service can serve")
    async def readyz() -> Response:
        reasons = await ready()
        return JSONResponse({"status": "not ready" if reasons else "ok", **reasons}, 503 if reasons else 200)

    @router.get("/metrics", summary="Prometheus metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        await report()
        encode, content_type = choose_encoder(request.headers.get("accept", ""))  # only OpenMetrics has exemplars
        return Response(encode(registry), headers={"Content-Type": content_type, "Vary": "Accept"})

    return router


def _after(cursor: str | None) -> UUID:
    if not cursor:
        return _ZERO
    try:
        return UUID(str(decode_cursor(cursor, 1)[0]))
    except ValueError as error:
        raise bad_cursor() from error


def _listed(message: ParkedMessage) -> dict[str, Any]:
    return {field: getattr(message, field) for field in ParkedMessage.__slots__}


def dead_letter_routes(dead_letters: DeadLetterQueue, resume: Callable[[], Awaitable[int]]) -> APIRouter:
    """Look at, replay and discard what is parked; resume halted partitions."""
    router = APIRouter(
        prefix="/v1/parked", route_class=JsonRoute, tags=["operations"], responses={s: PROBLEM_RESPONSES[s] for s in _REFUSALS}
    )

    @router.get("", summary="What is parked, oldest first")
    async def list_parked(
        _operator: Operator,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        key: Annotated[str | None, Query(max_length=500, description="Only messages of this key, such as a case id")] = None,
        resolved: Annotated[bool, Query(description="Instead what was replayed or discarded: when, by whom and why")] = False,
    ) -> ParkedPage:
        items = await dead_letters.list(_after(cursor), limit, key=key, resolved=resolved)
        following = encode_cursor([str(items[-1].id)]) if len(items) == limit else None
        return ParkedPage(items=[ParkedView(**_listed(i)) for i in items], next_cursor=following)

    @router.get("/accesses", summary="Who read the content of which dead letter, when and why")
    async def list_accesses(
        _auditor: Auditor,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> AccessPage:
        found = await dead_letters.accesses(_after(cursor), limit)
        following = encode_cursor([str(found[-1].id)]) if len(found) == limit else None
        return AccessPage(items=[AccessView(**asdict(access)) for access in found], next_cursor=following)

    @router.post("/{message_id}/content", summary="The raw content of one dead letter; who reads it and why is kept")
    async def read_content(auditor: Auditor, message_id: UUID, reading: Reading) -> ParkedContent:
        record = (await dead_letters.read_content(message_id, auditor.subject, reading.reason)).record
        return ParkedContent(
            headers_base64=[(name, b64encode(value or b"").decode()) for name, value in record.headers],
            value_base64=b64encode(record.value or b"").decode(),
        )

    @router.get("/{message_id}", summary="One dead letter, masked: structure, types, sizes, field names and ids, no texts")
    async def show(_operator: Operator, message_id: UUID) -> ParkedShape:
        found = await dead_letters.show(message_id)
        record = found.record
        return ParkedShape(
            **_listed(found.listed),
            position=f"{record.topic}/{record.partition}/{record.offset}",
            headers=masked_headers(record.headers),
            value=masked_value(record.value),
        )

    @router.post("/{message_id}/replay", summary="Apply it and what waits behind it, in order")
    async def replay(operator: Operator, message_id: UUID, resolution: Resolution | None = None) -> ReplayAnswer:
        result = await dead_letters.replay(message_id, operator.subject, resolution.reason if resolution else None)
        return ReplayAnswer(replayed=result.replayed, waiting=result.waiting, error=result.error)

    @router.post("/{message_id}/discard", summary="Give it up for good, and replay what waited behind it")
    async def discard(operator: Operator, message_id: UUID, discarding: Discarding | None = None) -> ReplayAnswer:
        given = discarding or Discarding()
        result = await dead_letters.discard(message_id, operator.subject, given.reason, given.also)
        return ReplayAnswer(replayed=result.replayed, waiting=result.waiting, error=result.error)

    @router.post("/resume", summary="Resume halted partitions")
    async def resume_halted(_operator: Operator) -> Resumed:
        return Resumed(resumed=await resume())

    return router
