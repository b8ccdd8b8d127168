"""One HTTP client of the services for everybody, with what is expected to come back."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuntas_demo.wire import Wire, WireError

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
        self._wire = Wire(at_once=_AT_ONCE, within_s=_WITHIN_S)
        self.requests: Counter[str] = Counter()

    def close(self) -> None:
        """Let go of all connections."""
        self._wire.close()

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
            status, answer = await self._wire.request(method, url, sent, content)
        except WireError as error:
            self._faults.add(f"{what}: {method} {url} was not answered: {error}")
            return None
        if status not in expected:
            self._faults.add(f"{what}: {method} {url} was answered with {status}: {answer[:500].decode(errors='replace')}")
            return None
        found: dict[str, Any] = json.loads(answer)
        return found
