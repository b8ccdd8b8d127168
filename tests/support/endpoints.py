"""Every endpoint of every service as its OpenAPI document lists it, so that a new one can't be forgotten."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tuntas_contracts.vocabulary import Service

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation; `guarded` where its document asks for a bearer token, `takes_body` where it reads a body, `needs_body` if it must."""

    service: str
    method: str
    path: str
    guarded: bool
    takes_body: bool
    needs_body: bool

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    def at(self, **values: str) -> str:
        """The path with these values in the place of its parameters; each parameter needs one."""
        return self.path.format(**values)


async def all_endpoints(http: httpx.AsyncClient, urls: Mapping[str, str]) -> list[Endpoint]:
    """The operations of all services; `urls` by service."""
    found: list[Endpoint] = []
    for service in Service:
        document = (await http.get(f"{urls[service]}/openapi.json")).raise_for_status().json()
        found.extend(_operations(service.value, document))
    return found


def _operations(service: str, document: Mapping[str, Any]) -> Iterator[Endpoint]:
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                # an empty requirement beside others means that the token is optional
                security = operation.get("security", [])
                required = operation.get("requestBody", {}).get("required", False)
                yield Endpoint(service, method.upper(), path, bool(security) and {} not in security, "requestBody" in operation, required)
