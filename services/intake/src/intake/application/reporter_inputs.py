"""What a reporter may do with an answer: reply (T16) or confirm and rate (T18). The owner of the case has the last word."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from intake.application.access_codes import AccessCodeVerifier
from intake.application.errors import RetryKeyReused
from intake.application.ports import CaseHistory, Database, Found, InputFile, Outbox, PersonalData, Read, StoredReport
from intake.domain.masking import Masker, OwnData
from intake.metrics import INPUTS, MASKED
from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import derive_id, new_id
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.persistence.database import Transaction
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import ReporterConfirmed, ReporterReplied
from tuntas_contracts.lifecycle import TRANSITIONS, TransitionRow
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import CaseState, Role, Transition

_MASKING: Final = "mask the reporter's own data in their reply"
_NOT_NOW: Final = {
    CaseState.CLOSED: "Laporan sudah selesai. The report is closed; submit a new report if the matter is not resolved.",
    CaseState.ARCHIVED: "Laporan sudah diarsipkan; alasannya ada pada riwayat. The report is archived; its history says why.",
}
_NOT_YET: Final = (
    "Laporan belum dijawab, atau tanggapan Anda sudah diterima. Tunggu jawaban instansi, lalu coba lagi. "
    "The report is not answered yet, or your reply was taken already; wait for the agency's answer and try again."
)

_TRANSITIONS: Final = {"reply": TRANSITIONS[Transition.T16], "confirmation": TRANSITIONS[Transition.T18]}

MakeEvent = Callable[[UUID, datetime, OwnData | None], InputEvent]


class AcceptedInput(NamedTuple):
    """An input that is on its way to the owner of the case."""

    input_id: UUID
    accepted_at: datetime


class ReporterInputs:
    """Accepts inputs of reporters who hold their access code."""

    def __init__(
        self,
        gate: AccessCodeVerifier,
        inputs: InputFile,
        history: CaseHistory,
        personal_data: PersonalData,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        pepper: bytes,
        metrics: MetricSet,
    ) -> None:
        self._gate = gate
        self._inputs = inputs
        self._history = history
        self._personal_data = personal_data
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._pepper = pepper
        self._metrics = metrics

    async def reply(self, tracking_id: str, access_code: str, text: str, idempotency_key: str | None, source: str) -> AcceptedInput:
        """Take a reply to an answer.

        Raises NoSuchReport, TooManyWrongCodes, RetryKeyReused, and Refusal where the case is not answered.
        """
        report = await self._gate.open(tracking_id, access_code, source)

        def event(input_id: UUID, now: datetime, own: OwnData | None) -> InputEvent:
            masked = Masker(own or OwnData()).mask(text)
            for kind, count in masked.counts().items():
                self._metrics.inc(MASKED, kind.value, by=count)
            return ReporterReplied(case_id=report.case_id, input_id=input_id, occurred_at=now, text=masked.text)

        return await self._accept(report, "reply", text, idempotency_key, event)

    async def confirm(self, tracking_id: str, access_code: str, rating: int, idempotency_key: str | None, source: str) -> AcceptedInput:
        """Take a confirmation with its rating; raises as `reply` does."""
        report = await self._gate.open(tracking_id, access_code, source)

        def event(input_id: UUID, now: datetime, _own: OwnData | None) -> InputEvent:
            return ReporterConfirmed(case_id=report.case_id, input_id=input_id, occurred_at=now, rating=rating, assisted=report.assisted)

        return await self._accept(report, "confirmation", str(rating), idempotency_key, event)

    async def _accept(self, report: StoredReport, kind: str, body: str, key: str | None, make_event: MakeEvent) -> AcceptedInput:
        input_id = derive_id(report.case_id, "reporter-input", key) if key is not None else new_id()
        body_hash = hmac.digest(self._pepper, f"{kind}\0{body}".encode(), hashlib.sha256)
        async with self._database.begin() as connection:
            await self._inputs.lock_report(connection, report.case_id)
            now = self._clock.now()
            known = await self._inputs.find(connection, input_id, report.case_id)
            if known is not None:
                if not hmac.compare_digest(known.body_hash, body_hash):
                    raise RetryKeyReused("input")
                return AcceptedInput(input_id, known.accepted_at)
            await self._check_possible(connection, report.case_id, _TRANSITIONS[kind])
            own: OwnData | None = None
            if kind == "reply":
                own = await self._own_data(connection, report, now)
                await self._personal_data.add(connection, report.reporter_ref, input_id, body)
            await self._inputs.add(connection, input_id, report.case_id, body_hash, now)
            event = make_event(input_id, now, own)
            await self._outbox.write(connection, [Outgoing(CASES.name, str(report.case_id), event, now)])
        self._outbox.written()
        self._metrics.inc(INPUTS, kind)
        return AcceptedInput(input_id, now)

    async def _check_possible(self, connection: Transaction, case_id: UUID, row: TransitionRow) -> None:
        state = (await self._history.status(connection, case_id)).state
        if state not in row.possible_from:
            raise Refusal(RefusalCode.NOT_ANSWERED, _NOT_NOW.get(state, _NOT_YET))

    async def _own_data(self, connection: Transaction, report: StoredReport, now: datetime) -> OwnData | None:
        read = Read(report.reporter_ref, report.case_id, _MASKING)
        [found] = await self._personal_data.read(connection, [read], Role.REPORTER.value, now)
        return found.own if isinstance(found, Found) else None
