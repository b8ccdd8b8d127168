"""One HTTP client of the services for all actors; each request names the status that it expects."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuntas_demo.http_connections import HttpConnections, NoAnswer

_AT_ONCE = 64
_WITHIN_S = 60.0
_SHOWN = 20


@dataclass(slots=True)
class Faults:
    """What went otherwise than it should; the first few in full."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Note a fault."""
        self.count += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(sentence)


class ApiClient:
    """Sends requests. An answer that is not expected is a fault, and None is given for it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._connections = HttpConnections(at_once=_AT_ONCE, within_s=_WITHIN_S)
        self.requests: Counter[str] = Counter()

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    async def ask(
        self,
        what: str,
        method: str,
        url: str,
        *,
        token: str | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (200,),
    ) -> dict[str, Any] | None:
        """The JSON object that comes back; `what` names the request in the count and in a fault."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        self.requests[what] += 1
        try:
            status, answer = await self._connections.request(method, url, sent, content)
        except NoAnswer as error:
            self._faults.add(f"{what}: {method} {url} was not answered: {error}")
            return None
        if status not in expected:
            self._faults.add(f"{what}: {method} {url} was answered with {status}: {answer[:500].decode(errors='replace')}")
            return None
        found: dict[str, Any] = json.loads(answer)
        return found
