"""Reporters and clerks: they submit, look at their reports, reply to answers and confirm them, by HTTP alone."""

import asyncio
from collections.abc import Sequence
from random import Random

from tuntas_contracts.vocabulary import CaseState, Channel, Role
from tuntas_demo.api_client import ApiClient, Faults
from tuntas_demo.case_log import CaseLog, PlayedCase
from tuntas_demo.corpus.behaviour import Act, reporter_decision
from tuntas_demo.corpus.circumstances import BY_HAND
from tuntas_demo.receipt_mails import ReceiptMails
from tuntas_demo.tokens import Tokens

_RETRY_SHARE = 0.03
_ANXIOUS_SHARE = 0.05
_CLERKS = 12
_MAIL_S = 60.0


class Reporters:
    """Everybody who reports: they call intake over HTTP."""

    def __init__(
        self, api_client: ApiClient, url: str, tokens: Tokens, book: CaseLog, mails: ReceiptMails, faults: Faults, seed: int
    ) -> None:
        self._api_client = api_client
        self._reports = f"{url}/v1/reports"
        self._tokens = tokens
        self._book = book
        self._mails = mails
        self._faults = faults
        self._seed = seed
        self.retries = 0

    async def submit(self, cases: Sequence[PlayedCase]) -> None:
        """All of them at once, as the server can take them."""
        await asyncio.gather(*(self._submit(case) for case in cases))

    async def _submit(self, case: PlayedCase) -> None:
        rng = Random(f"{self._seed}:{case.number}:submit")
        retries = rng.random() < _RETRY_SHARE
        key = f"report-{self._seed}-{case.number}"
        channel = case.report.payload.channel
        token = None
        if channel in BY_HAND:
            role = Role.AGENCY_SYSTEM if channel is Channel.AGENCY_APPLICATION else Role.CLERK
            token = self._tokens.of(role, person=1 + case.number % _CLERKS)
        body, headers = case.report.request(), {"Idempotency-Key": key}
        asked = self._api_client.ask("submit a report", "POST", self._reports, token=token, body=body, headers=headers, expected=(201,))
        if retries:  # an impatient thumb, or a bad connection: the same request twice
            self.retries += 1
            again = self._api_client.ask("submit a report", "POST", self._reports, token=token, body=body, headers=headers, expected=(201,))
            receipt, other = await asyncio.gather(asked, again)
            if receipt is not None and other is not None and receipt["case_id"] != other["case_id"]:
                self._faults.add(
                    f"report {case.number} was taken twice under one Idempotency-Key: {receipt['case_id']}, {other['case_id']}"
                )
        else:
            receipt = await asked
        if receipt is not None:
            self._book.accepted(case, receipt["case_id"], receipt["tracking_id"], receipt["access_code"] or "")
            if rng.random() < _ANXIOUS_SHARE and case.access_code:
                await self._look(case)

    async def react(self, cases: Sequence[PlayedCase]) -> None:
        """Reply to an answer (T16) or confirm it (T18), after reading it."""
        await asyncio.gather(*(self._react(case) for case in cases))

    async def _react(self, case: PlayedCase) -> None:
        if not case.access_code:  # an officer entered the report, so that the code came by mail
            case.access_code = await self._mails.wait_for_code(case.tracking_id, _MAIL_S) or ""
        seen = await self._look(case)
        if seen is not CaseState.RESPONDED:
            self._faults.add(f"the reporter of case {case.case_id} does not see the answer, but {seen}")
            return
        decision = reporter_decision(self._seed, case.number, case.agency or "", case.report.behaviour, answers=case.answers)
        address = f"{self._reports}/{case.tracking_id}"
        headers = {"X-Access-Code": case.access_code, "Idempotency-Key": f"reaction-{case.answers}"}
        if decision.act is Act.REPLY:
            replies = case.report.expected.replies
            text = replies[min(case.answers, len(replies)) - 1]
            await self._api_client.ask(
                "reply to an answer", "POST", f"{address}/reply", body={"text": text}, headers=headers, expected=(202,)
            )
        elif decision.act is Act.CONFIRM:
            body = {"rating": decision.rating or 3}
            await self._api_client.ask("confirm an answer", "POST", f"{address}/confirmation", body=body, headers=headers, expected=(202,))

    async def _look(self, case: PlayedCase) -> CaseState | None:
        url = f"{self._reports}/{case.tracking_id}"
        seen = await self._api_client.ask("look at a report", "GET", url, headers={"X-Access-Code": case.access_code})
        return None if seen is None else CaseState(seen["state"]["code"])
