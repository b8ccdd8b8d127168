"""A roll-out as a cluster does it: one pod after the other leaves the endpoints, is stopped, and comes back when it is ready."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.support.platform import A_REPORT, Platform
from tests.support.waiting import until
from tuntas_contracts.vocabulary import Role, Service

_PACE_S = 0.05
_NOT_THERE_YET = ("unknown_case", "other_agency")


class Endpoints:
    """The replicas of each service that take requests, as a Kubernetes Service has them; requests go to them in turn."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        parts = [part.name for part in platform.stack.state.parts if part.kind == "service"]
        self.replicas = {service: [name for name in parts if name == service or name.startswith(f"{service}-2")] for service in Service}
        self._out: set[str] = set()
        self._turn = itertools.count()
        self._busy: Counter[str] = Counter()

    @contextmanager
    def one(self, service: Service) -> Iterator[str]:
        """Where one request goes."""
        ready = [name for name in self.replicas[service] if name not in self._out]
        name = ready[next(self._turn) % len(ready)]
        self._busy[name] += 1
        try:
            yield self._platform.url(name)
        finally:
            self._busy[name] -= 1

    async def replace(self, name: str) -> int | None:
        """Take a replica out, end it after its last request (the manifests' `preStop`), start it again; gives its exit code."""
        stack = self._platform.stack
        self._out.add(name)

        async def left() -> bool:
            return self._busy[name] == 0

        await until(left, f"nobody asks {name} any more")
        process = stack._supervisor.process(name)
        await asyncio.to_thread(stack.stop_part, name)
        code = process.exit_code
        await asyncio.to_thread(stack.restart, name)

        async def ready() -> bool:
            return (await self._platform.http.get(f"{self._platform.url(name)}/readyz")).status_code == 200

        await until(ready, f"{name} is ready")
        self._out.remove(name)
        return code


@dataclass
class Traffic:
    """Reporters, verifiers and officers who ask once, never twice: whatever is not answered well is a failed request."""

    platform: Platform
    endpoints: Endpoints
    failed: list[str] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    where: dict[UUID, str] = field(default_factory=dict)

    async def ask(
        self, service: Service, method: str, path: str, role: Role | None, agency: str | None, **request: Any
    ) -> httpx.Response | None:
        """One request to one replica; None where it failed."""
        headers = {"Idempotency-Key": str(uuid4())} | ({"Authorization": f"Bearer {self.platform.token(role, agency)}"} if role else {})
        with self.endpoints.one(service) as url:
            try:
                answer = await self.platform.http.request(method, url + path, headers=headers, **request)
            except httpx.TransportError as error:
                self.failed.append(f"{method} {path} at {url}: {type(error).__name__}: {error}")
                return None
        if answer.status_code >= 400 and not _under_way(answer):
            self.failed.append(f"{method} {path} at {url}: {answer.status_code} {answer.text[:200]}")
            return None
        self.answered[f"{service} {method}"] += 1
        return answer

    async def reporter(self, agencies: Mapping[str, str], stopping: asyncio.Event, number: int) -> None:
        """Submits reports one after the other; what has reached its agency is accepted there, and the lists are looked at."""
        turn = itertools.count(number)
        while not stopping.is_set():
            step = next(turn)
            agency = list(agencies)[step % len(agencies)]
            answer = await self.ask(Service.INTAKE, "POST", "/v1/reports", None, None, json=A_REPORT | {"addressed_agency": agency})
            if answer is not None:
                self.where[UUID(answer.json()["case_id"])] = agency
            await self.ask(Service.TRIAGE, "GET", "/v1/queue", Role.NATIONAL_ADMINISTRATOR, None)
            await self.ask(Service.SLA_MONITOR, "GET", "/v1/figures", None, None)
            page = await self.ask(Service.DISPATCH, "GET", "/v1/cases?state=at_agency&limit=1", Role.AGENCY_ADMINISTRATOR, agency)
            for case in page.json()["cases"] if page is not None else ():
                path = f"/v1/cases/{case['case_id']}/accept"
                await self.ask(Service.DISPATCH, "POST", path, Role.AGENCY_ADMINISTRATOR, agency, json={"unit": agencies[agency]})
            await asyncio.sleep(_PACE_S)  # a steady stream, not a flood


def _under_way(answer: httpx.Response) -> bool:
    """Two reporters of one agency may pick the same case: the second gets the error that it is accepted already."""
    return answer.status_code == 409 or (answer.status_code == 404 and answer.json()["code"] in _NOT_THERE_YET)
