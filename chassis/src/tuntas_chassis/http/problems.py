"""HTTP errors as problem details (RFC 9457): what was wrong, with what, what to do."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from tuntas_chassis.persistence.database import QUERY_CANCELED, READ_ONLY, is_transient, sqlstate_of
from tuntas_chassis.telemetry.logs import logger
from tuntas_contracts.refusal import Refusal

MEDIA_TYPE = "application/problem+json"
_log = logger(__name__)


_MOST_ERRORS = 50
_LONGEST_NAME = 200
_LONGEST_TEXT = 2_000


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: Annotated[str, Field(max_length=_LONGEST_NAME)]
    message: Annotated[str, Field(max_length=_LONGEST_TEXT)]


class ProblemDetails(BaseModel):
    """The body of an error answer."""

    type: Annotated[str, Field(max_length=_LONGEST_NAME)] = "about:blank"
    title: Annotated[str, Field(max_length=_LONGEST_NAME)]
    status: Annotated[int, Field(ge=100, le=599)]
    detail: Annotated[str, Field(max_length=_LONGEST_TEXT)]
    code: Annotated[str, Field(max_length=_LONGEST_NAME)]
    errors: Annotated[list[FieldError], Field(max_length=_MOST_ERRORS)] | None = None


class Problem(Exception):
    """An error answer. `code` is stable and for programs; `detail` says what to do."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        code: str = "problem",
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`errors` name single fields, each as `field` and `message`."""
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.errors = errors
        self.headers = headers

    def response(self) -> Response:
        """The answer."""
        return problem_response(self.status, self.title, self.detail, self.code, errors=self.errors, headers=self.headers)


class BodyTooLarge(HTTPException):
    """The body grew over the limit while it was read. An HTTPException, since FastAPI answers any other error of reading with 400."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"At most {limit:,} bytes are taken; shorten the text.")

    def response(self) -> Response:
        """The answer."""
        return problem_response(413, "The request is too large", self.detail, "too_large")


class BodyRefused(HTTPException):
    """JSON that is refused as a whole. An HTTPException for the reason that `BodyTooLarge` is one."""

    def __init__(self, why: str) -> None:
        super().__init__(400, f"The JSON is refused: {why}.")

    def response(self) -> Response:
        """The answer."""
        return problem_response(400, "The body is refused", self.detail, "json_refused")


class Overloaded(HTTPException):
    """More requests are under way than the process answers at once. An HTTPException for the reason that `BodyTooLarge` is one."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, {"Retry-After": "1"})

    def response(self) -> Response:
        """The answer."""
        return problem_response(503, "Too much at once", self.detail, "overloaded", headers=self.headers)


def problem_response(
    status: int,
    title: str,
    detail: str,
    code: str,
    *,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as an HTTP answer. What is too long is cut off: some of it repeats what was asked."""
    body = ProblemDetails(
        title=title[:_LONGEST_NAME],
        status=status,
        detail=detail[:_LONGEST_TEXT],
        code=code[:_LONGEST_NAME],
        errors=None
        if errors is None
        else [FieldError(field=e["field"][:_LONGEST_NAME], message=e["message"][:_LONGEST_TEXT]) for e in errors[:_MOST_ERRORS]],
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def validation_errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Pydantic's errors as field and message; never the value, which may be personal."""
    return [{"field": ".".join(str(part) for part in e["loc"]), "message": str(e["msg"])} for e in errors[:_MOST_ERRORS]]


def invalid(errors: Sequence[Any]) -> Response:
    """422: which fields are wrong, and how."""
    return problem_response(
        422,
        "The request is not valid",
        "Correct the fields under `errors` and send it again.",
        "invalid_request",
        errors=validation_errors(errors),
    )


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "model": ProblemDetails, "content": {MEDIA_TYPE: {}}}
    for status, text in {
        400: "The request can't be read",
        401: "No valid bearer token",
        403: "The token's role or agency does not allow this",
        404: "Not found",
        405: "The method is not allowed here",
        409: "The case's state does not allow this",
        412: "It was changed since you read it",
        413: "The request is too large",
        422: "The request is not valid",
        428: "Say with If-Match which version you change",
        429: "Too many requests",
        503: "Not ready; try again",
    }.items()
}


def install_problems(app: FastAPI) -> None:
    """Answer every error of `app` as problem details."""

    @app.exception_handler(Problem)
    async def _problem(_request: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(Refusal)
    async def _refusal(_request: Request, error: Refusal) -> Response:
        return problem_response(409, "The case does not allow this", error.detail, error.code)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        if any(e["type"] == "json_invalid" for e in error.errors()):
            return problem_response(400, "The body is not JSON", "Send a JSON object with Content-Type application/json.", "not_json")
        return invalid(error.errors())

    @app.exception_handler(BodyTooLarge)
    async def _too_large(_request: Request, error: BodyTooLarge) -> Response:
        return error.response()

    @app.exception_handler(BodyRefused)
    async def _refused(_request: Request, error: BodyRefused) -> Response:
        return error.response()

    @app.exception_handler(Overloaded)
    async def _overloaded(_request: Request, error: Overloaded) -> Response:
        return error.response()

    @app.exception_handler(ClientDisconnect)
    async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
        return problem_response(408, "The request did not arrive whole", "Send it again.", "incomplete_request")

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> Response:
        detail = {
            404: "No such resource; see /docs for the paths that exist.",
            405: "This path takes other methods; see the Allow header.",
        }.get(error.status_code, str(error.detail))
        return problem_response(error.status_code, str(error.detail), detail, f"http_{error.status_code}", headers=error.headers)

    async def _failed(request: Request, error: Exception) -> Response:
        if is_transient(error):
            answer = _not_now(error)
            _log.warning("http_database_away", error=type(error).__name__, code=answer.code)
            return answer.response()
        _log.error("http_unexpected_error", route=request.url.path.split("/")[1:3], error=type(error).__name__, exc_info=error)
        return problem_response(
            500, "An error of ours", "It is logged with this request's trace; send the request again later.", "internal_error"
        )

    # named one by one, they are answered inside the application; what only `Exception` catches is raised to the server as well
    for kind in (SQLAlchemyError, OSError, Exception):
        app.add_exception_handler(kind, _failed)


def _not_now(error: Exception) -> Problem:
    """503 for a fault that passes: what is the matter, and when to come again."""
    title = "Not possible just now"
    state = sqlstate_of(error)
    if state == READ_ONLY:
        detail = "The database takes no writes while it fails over. Nothing was changed: send the request again."
        return Problem(503, title, detail, "database_read_only", headers={"Retry-After": "5"})
    if state == QUERY_CANCELED:
        detail = "The question took too long and was broken off: ask for less, or later."
        return Problem(503, title, detail, "query_too_slow", headers={"Retry-After": "10"})
    if isinstance(error, PoolTimeout):
        detail = "Every connection to the database is taken. Nothing was changed: send the request again."
        return Problem(503, title, detail, "database_busy", headers={"Retry-After": "2"})
    detail = "The database does not answer. Nothing was changed, or it is not known: send the request again with its Idempotency-Key."
    return Problem(503, title, detail, "database_away", headers={"Retry-After": "2"})
