"""What a reporter may do with an answer: reply (T16) or confirm and rate (T18). The owner of the case has the last word."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from intake.adapters.access_codes import AccessCodeVerifier, OpenedReport
from intake.adapters.inputs import add_input, find_input, lock_report
from intake.adapters.personal_data import Found, PersonalData, Read
from intake.adapters.store import read_case_status
from intake.domain.masking import Masker, OwnData
from intake.entrypoints.schemas import InputAccepted
from intake.metrics import INPUTS, MASKED
from tuntas_chassis.clock import Clock
from tuntas_chassis.http.problems import Problem
from tuntas_chassis.ids import derive_id, new_id
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import ReporterConfirmed, ReporterReplied
from tuntas_contracts.lifecycle import TRANSITIONS, TransitionRow
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import CaseState, Role, Transition

_MASKING: Final = "mask the reporter's own data in their reply"
_NOT_NOW: Final = {
    CaseState.CLOSED: "Laporan sudah selesai. The report is closed; submit a new report if the matter is not settled.",
    CaseState.ARCHIVED: "Laporan sudah diarsipkan; alasannya ada pada riwayat. The report is archived; its history says why.",
}
_NOT_YET: Final = (
    "Laporan belum dijawab, atau tanggapan Anda sudah diterima. Tunggu jawaban instansi, lalu coba lagi. "
    "The report is not answered yet, or your reply was taken already; wait for the agency's answer and try again."
)

_TRANSITIONS: Final = {"reply": TRANSITIONS[Transition.T16], "confirmation": TRANSITIONS[Transition.T18]}

MakeEvent = Callable[[UUID, datetime, OwnData | None], InputEvent]


class ReporterInputs:
    """Accepts inputs of reporters who hold their access code."""

    def __init__(
        self,
        gate: AccessCodeVerifier,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        personal_data: PersonalData,
        pepper: bytes,
        metrics: MetricSet,
    ) -> None:
        self._gate = gate
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._personal_data = personal_data
        self._pepper = pepper
        self._metrics = metrics

    async def reply(self, tracking_id: str, access_code: str, text: str, idempotency_key: str | None, source: str) -> InputAccepted:
        """Take a reply to an answer; raises Problem 404, 422 or 429, and Refusal where the case is not answered."""
        report = await self._gate.open(tracking_id, access_code, source)

        def event(input_id: UUID, now: datetime, own: OwnData | None) -> InputEvent:
            masked = Masker(own or OwnData()).mask(text)
            for kind, count in masked.counts().items():
                self._metrics.inc(MASKED, kind.value, by=count)
            return ReporterReplied(case_id=report.case_id, input_id=input_id, occurred_at=now, text=masked.text)

        return await self._accept(report, "reply", text, idempotency_key, event)

    async def confirm(self, tracking_id: str, access_code: str, rating: int, idempotency_key: str | None, source: str) -> InputAccepted:
        """Take a confirmation with its rating; raises as `reply` does."""
        report = await self._gate.open(tracking_id, access_code, source)

        def event(input_id: UUID, now: datetime, _own: OwnData | None) -> InputEvent:
            return ReporterConfirmed(case_id=report.case_id, input_id=input_id, occurred_at=now, rating=rating, assisted=report.assisted)

        return await self._accept(report, "confirmation", str(rating), idempotency_key, event)

    async def _accept(self, report: OpenedReport, kind: str, body: str, key: str | None, make_event: MakeEvent) -> InputAccepted:
        input_id = derive_id(report.case_id, "reporter-input", key) if key is not None else new_id()
        body_hash = hmac.digest(self._pepper, f"{kind}\0{body}".encode(), hashlib.sha256)
        async with self._database.begin() as connection:
            await lock_report(connection, report.case_id)
            now = self._clock.now()
            known = await find_input(connection, input_id, report.case_id)
            if known is not None:
                if not hmac.compare_digest(known.body_hash, body_hash):
                    raise Problem(
                        422,
                        "The Idempotency-Key was used for another input",
                        "Send a new input with a new key; a key may be repeated only with the same body.",
                        "idempotency_key_reused",
                    )
                return InputAccepted(input_id=input_id, accepted_at=known.accepted_at)
            await self._check_possible(connection, report.case_id, _TRANSITIONS[kind])
            own: OwnData | None = None
            if kind == "reply":
                own = await self._own_data(connection, report, now)
                await self._personal_data.add(connection, report.reporter_ref, input_id, body)
            await add_input(connection, input_id, report.case_id, body_hash, now)
            event = make_event(input_id, now, own)
            await self._outbox.write(connection, [Outgoing(CASES.name, str(report.case_id), event, now)])
        self._outbox.written()
        self._metrics.inc(INPUTS, kind)
        return InputAccepted(input_id=input_id, accepted_at=now)

    async def _check_possible(self, connection: AsyncConnection, case_id: UUID, row: TransitionRow) -> None:
        state = (await read_case_status(connection, case_id)).state
        if state not in row.possible_from:
            raise Refusal(RefusalCode.NOT_ANSWERED, _NOT_NOW.get(state, _NOT_YET))

    async def _own_data(self, connection: AsyncConnection, report: OpenedReport, now: datetime) -> OwnData | None:
        read = Read(report.reporter_ref, report.case_id, _MASKING)
        [found] = await self._personal_data.read(connection, [read], Role.REPORTER.value, now)
        return found.own if isinstance(found, Found) else None
