"""Officers of agencies without a system of their own: they open their list and act on its cases over HTTP."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from uuid import NAMESPACE_URL, uuid5

from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.vocabulary import Role
from tuntas_demo.agency_commands import PATHS, AgencyCommands
from tuntas_demo.api_client import ApiClient, Faults
from tuntas_demo.case_log import PlayedCase
from tuntas_demo.tokens import Tokens

_PAGE = 200
_CAREFUL_SHARE = 0.02


class Officers:
    """Administrators (Admin Instansi) and liaison officers (Pejabat Penghubung) of many agencies."""

    def __init__(self, api_client: ApiClient, url: str, tokens: Tokens, agency_commands: AgencyCommands, faults: Faults, seed: int) -> None:
        self._api_client = api_client
        self._cases = f"{url}/v1/cases"
        self._tokens = tokens
        self._agency_commands = agency_commands
        self._faults = faults
        self._seed = seed

    async def decide(self, cases: Sequence[PlayedCase]) -> None:
        """Every administrator looks at what has come to the agency, and decides on some of it."""
        by_agency: defaultdict[str, list[PlayedCase]] = defaultdict(list)
        for case in cases:
            by_agency[case.agency or ""].append(case)
        await asyncio.gather(*(self._decide(agency, some) for agency, some in by_agency.items()))

    async def _decide(self, agency: str, cases: Sequence[PlayedCase]) -> None:
        token = self._tokens.of(Role.AGENCY_ADMINISTRATOR, agency)
        listed: set[str] = set()
        cursor: str | None = None
        while True:
            url = f"{self._cases}?state=at_agency&limit={_PAGE}" + (f"&cursor={cursor}" if cursor else "")
            page = await self._api_client.ask("list an agency's cases", "GET", url, token=token)
            if page is None:
                break
            listed |= {shown["case_id"] for shown in page["cases"]}
            cursor = page["next_cursor"]
            if cursor is None:
                break
        for case in cases:
            if case.case_id not in listed:
                self._faults.add(f"case {case.case_id} was forwarded to {agency} and is not in its list")
        await asyncio.gather(*(self._do(case, self._agency_commands.verification(case), token) for case in cases if case.case_id in listed))

    async def follow_up(self, cases: Sequence[PlayedCase]) -> None:
        """Record first follow-ups (T14)."""
        await asyncio.gather(*(self._do(case, self._agency_commands.follow_up(case), self._liaison(case)) for case in cases))

    async def answer(self, cases: Sequence[PlayedCase]) -> None:
        """Answer (T15)."""
        await asyncio.gather(*(self._do(case, self._agency_commands.answer(case), self._liaison(case)) for case in cases))

    def _liaison(self, case: PlayedCase) -> str:
        return self._tokens.of(Role.LIAISON_OFFICER, case.agency)

    async def _do(self, case: PlayedCase, command: AgencyCommand, token: str) -> None:
        path = PATHS[type(command)]
        url = f"{self._cases}/{case.case_id}/{path}"
        key = uuid5(NAMESPACE_URL, f"{self._seed}/{case.number}/{case.stage}/{path}")
        body = command.model_dump(mode="json", exclude={"case_id", "officer"}, exclude_none=True)
        headers = {"Idempotency-Key": str(key)}
        done = await self._api_client.ask(f"{path} a case", "POST", url, token=token, body=body, headers=headers)
        if done is not None and Random(str(key)).random() < _CAREFUL_SHARE:  # pressed twice: the key makes it harmless
            again = await self._api_client.ask(f"{path} a case", "POST", url, token=token, body=body, headers=headers)
            if again is not None and again["version"] != done["version"]:
                self._faults.add(f"a repeated {path} of case {case.case_id} had an effect of its own")
