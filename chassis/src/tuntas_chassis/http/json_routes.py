"""HTTP routes whose bodies are read strictly: see `strict_json`."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from tuntas_chassis.http.problems import BodyRefused
from tuntas_chassis.strict_json import UnreadableJson, fault_of_json, read_json


class JsonRoute(APIRoute):
    """To be given as `route_class` to each router that takes bodies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, whose request is read strictly."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


def refuse_ambiguous(body: bytes) -> None:
    """Raise BodyRefused where readers could take it for different things; what is no JSON at all is left to the next reader."""
    if fault := fault_of_json(body):
        raise BodyRefused(fault)


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return read_json(await self.body())
        except UnreadableJson as error:
            raise BodyRefused(str(error)) from None
