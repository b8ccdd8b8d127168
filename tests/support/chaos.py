"""Clients that keep working through outages as real ones do, and something that kills servers meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.support.platform import A_REPORT, Platform, Receipt, receipt_of
from tuntas_contracts.vocabulary import Role
from tuntas_devstack.stack import Stack
from tuntas_embedded.threads import in_thread

_AGAIN_AFTER_S = 0.25
_GIVEN_UP_AFTER_S = 240.0


@dataclass
class Client:
    """Sends each request until it is answered, with one Idempotency-Key. `faults` counts what came meanwhile."""

    platform: Platform
    faults: Counter[str] = field(default_factory=Counter)

    async def insist(self, url: str, body: Mapping[str, Any], *, token: str | None = None, under_way: Sequence[str] = ()) -> httpx.Response:
        """The first answer below 500 whose problem code is none of `under_way`."""
        headers = {"Idempotency-Key": str(uuid4())} | ({"Authorization": f"Bearer {token}"} if token else {})
        until = monotonic() + _GIVEN_UP_AFTER_S
        while True:
            try:
                answer = await self.platform.http.post(url, json=body, headers=headers, timeout=15)
            except httpx.TransportError as error:
                self.faults[type(error).__name__] += 1
            else:
                if answer.status_code < 400:
                    return answer
                code = answer.json()["code"]
                if answer.status_code < 500 and not code.startswith(tuple(under_way)):
                    return answer
                self.faults[f"{answer.status_code} {code}"] += 1
            assert monotonic() < until, f"no answer from {url} for {_GIVEN_UP_AFTER_S} s: {self.faults}"
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def submit(self, agency: str | None, number: int = 0) -> Receipt:
        """Submit a report."""
        report = A_REPORT | {"title": f"Lampu jalan padam di RT {number}"} | ({"addressed_agency": agency} if agency else {})
        answer = await self.insist(f"{self.platform.url('intake')}/v1/reports", report)
        assert answer.status_code == 201, answer.text
        return receipt_of(answer)

    async def command(self, case_id: UUID, verb: str, agency: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """An officer's command at dispatch, made again while the case is on its way there."""
        token = self.platform.token(Role.AGENCY_ADMINISTRATOR, agency)
        url = f"{self.platform.url('dispatch')}/v1/cases/{case_id}/{verb}"
        answer = await self.insist(url, body, token=token, under_way=("unknown_case", "other_agency"))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@dataclass
class FaultInjector:
    """Kills parts at random moments of a run (`kill -9`) and starts them again at once."""

    stack: Stack
    rng: Random
    killed: list[str] = field(default_factory=list)
    _restarts: list["asyncio.Task[None]"] = field(default_factory=list)

    def plan(self, parts: Sequence[str], total: int) -> dict[int, str]:
        """When each part is killed: by how many reports are accepted."""
        moments = sorted(self.rng.sample(range(total // 20, total * 19 // 20), len(parts)))
        return dict(zip(moments, self.rng.sample(list(parts), len(parts)), strict=True))

    def pull(self, part: str) -> None:
        """Kill a part now; it comes back as soon as it can."""
        self.killed.append(part)
        self._restarts.append(asyncio.create_task(self._kill_and_restart(part)))

    async def _kill_and_restart(self, part: str) -> None:
        await in_thread(self.stack.kill, part)
        await in_thread(self.stack.restart, part)

    async def all_back(self) -> None:
        """Wait until everything that was killed runs again."""
        await asyncio.gather(*self._restarts)
