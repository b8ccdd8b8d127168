"""National administrators (Admin Nasional): they page through the national queue, route what waits there (T3) or archive it (T13)."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tuntas_contracts.vocabulary import Role
from tuntas_demo.api_client import ApiClient, Faults
from tuntas_demo.case_log import PlayedCase
from tuntas_demo.corpus.behaviour import Act, verifier_decision
from tuntas_demo.tokens import Tokens

_VERIFIERS = 8
_PAGE = 200


def may_route(case: PlayedCase) -> bool:
    """Whether a verifier can do anything: misconduct stays at the centre unless it deserves the archive."""
    return not case.report.payload.misconduct or case.report.behaviour.archive_reason is not None


def verification_days(seed: int, case: PlayedCase) -> int:
    """After how many working days the case is looked at; an arbitration (C10) is done on the day or the next."""
    agency = f"{case.report.expected.agency}:{case.bounces}" if case.bounces else case.report.expected.agency
    days = verifier_decision(seed, case.number, agency, case.report.behaviour).working_days
    return min(days, 1) if case.arbitration else days


class Verifiers:
    """A handful of persons with one queue."""

    def __init__(self, api_client: ApiClient, url: str, tokens: Tokens, faults: Faults, seed: int) -> None:
        self._api_client = api_client
        self._url = f"{url}/v1"
        self._tokens = tokens
        self._faults = faults
        self._seed = seed

    async def verify(self, cases: Sequence[PlayedCase]) -> None:
        """Go through the queue, oldest deadline first, and deal with those whose turn has come."""
        if not cases:
            return
        turn = {case.case_id for case in cases}
        seen: set[str] = set()
        doing: list[asyncio.Task[None]] = []
        cursor: str | None = None
        while not turn <= seen:
            # a page's cases are dealt with once the last page is read: who acts on a queue moves its pages
            page = await self._page(cursor)
            if page is None:
                break
            seen |= {shown["case_id"] for shown in page["cases"]}
            cursor = page["next_cursor"]
            if cursor is None:
                break
        for number, case in enumerate(cases):
            if case.case_id in seen:
                doing.append(asyncio.create_task(self._deal_with(case, self._token(number))))
            else:
                self._faults.add(f"case {case.case_id} waits for verification and is not in the national queue")
        await asyncio.gather(*doing)

    async def _page(self, cursor: str | None) -> dict[str, Any] | None:
        url = f"{self._url}/queue?limit={_PAGE}" + (f"&cursor={cursor}" if cursor else "")
        return await self._api_client.ask("page the national queue", "GET", url, token=self._token(0))

    def _token(self, number: int) -> str:
        return self._tokens.of(Role.NATIONAL_ADMINISTRATOR, person=1 + number % _VERIFIERS)

    async def _deal_with(self, case: PlayedCase, token: str) -> None:
        expected, hint = case.report.expected, case.report.behaviour
        decision = verifier_decision(self._seed, case.number, expected.agency, hint)
        if decision.act is Act.ARCHIVE and decision.archive_reason is not None:
            reason = decision.archive_reason.value
            url = f"{self._url}/cases/{case.case_id}/archive"
            await self._api_client.ask("archive a case", "POST", url, token=token, body={"reason": reason})
            return
        agency = expected.agency
        if case.bounces and not case.arbitration:
            # who has returned it can't get it back but by arbitration: so it goes to the next best, who will bring it to one
            agency = expected.wrong_agency if case.agency == expected.agency else expected.agency
        elif decision.act is Act.ROUTE_WRONGLY and not case.arbitration:
            agency = expected.wrong_agency
        url = f"{self._url}/cases/{case.case_id}/forward"
        await self._api_client.ask("forward a case", "POST", url, token=token, body={"agency": agency})
