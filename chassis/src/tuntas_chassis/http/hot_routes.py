"""Routes that are served before the application looks for one: they do not pass its routing and error handling."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_FAILED = "tuntas.failed"


class HotRoute(APIRoute):
    """Documented by the signature of `endpoint`, served by `handler` without dependency solving. Its path has no parameters."""

    def __init__(self, path: str, endpoint: Callable[..., Any], handler: Handler, **documentation: Any) -> None:
        super().__init__(path, endpoint, **documentation)
        self.handler = handler
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Within the application: raise what the handler has raised before it, or serve."""
        if _FAILED in scope:
            raise scope[_FAILED]
        response = await self.handler(Request(scope, receive, send))
        await response(scope, receive, send)


class HotRoutes:
    """Serves the hot ones among `routes`. What one of them raises, the application answers as it answers every error."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._hot = {(method, route.path): route for route in routes if isinstance(route, HotRoute) for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._hot.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.handler(Request(scope, receive, send))
        except Exception as error:
            scope[_FAILED] = error
        else:
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)
