"""Test data and fakes: reports as clients send them, a file that remembers what it was given, a clock that stands still."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from intake.adapters.vault import Vault
from intake.application.commands import SubmitReport
from intake.application.handlers import Submissions
from intake.application.ports import Filed, IdempotencyConflict, NewReport
from intake.metrics import METRICS
from tests.support.names import NAMES
from tuntas_chassis.messaging.messages import Incoming
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent, Contract
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import CaseState, Classification, Service, ServiceClass, Transition
from tuntas_reference.profile import DEFAULT_PROFILE

NOON = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Jakarta
CASE_ID = UUID("01956000-0000-7000-8000-000000000001")
REPORTER_REF = UUID("01956000-0000-7000-8000-000000000002")
PEPPER = b"a pepper of at least thirty-two characters"
KEY = bytes(range(32))


def a_report(**fields: Any) -> dict[str, Any]:
    """A report as a client sends it; its text gives its writer away three times."""
    return {
        "classification": "complaint",
        "title": "Jalan berlubang di depan rumah Siti",
        "body": "Saya Siti Nurhaliza, HP 0812-3456-7890, melaporkan jalan berlubang. Anggarannya Rp 1.500.000.",
        "reporter": {"name": "Siti Nurhaliza", "email": "siti@Contoh.ID", "phone": "0812 3456 7890"},
    } | fields


def a_request(**fields: Any) -> SubmitReport:
    """The same, read."""
    return SubmitReport.model_validate_json(json.dumps(a_report(**fields)))


class StandingClock:
    """A clock that tells the same time until it is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def from_broker(self, timestamp_ms: int) -> datetime:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


@dataclass
class FakeFile:
    """Keeps reports in memory by the rules of the real file; `refusals` are raised first, one a call."""

    clock: StandingClock
    reports: list[NewReport] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)

    async def submit(self, item: NewReport, /) -> Filed | IdempotencyConflict:
        if self.refusals:
            raise self.refusals.pop(0)
        for earlier in self.reports:
            if item.retry and earlier.retry and earlier.retry.key_hash == item.retry.key_hash:
                if earlier.retry.body_hash != item.retry.body_hash:
                    return IdempotencyConflict()
                return self._filed(earlier)._replace(sealed_receipt=earlier.retry.sealed_receipt)
        self.reports.append(item)
        return self._filed(item)

    def _filed(self, item: NewReport) -> Filed:
        return Filed(item.case_id, item.content.tracking_id, self.clock.now())


@dataclass
class Desk:
    """The handler of submissions with its fakes in reach."""

    clock: StandingClock = field(default_factory=StandingClock)
    vault: Vault = field(default_factory=lambda: Vault(KEY))
    metrics: MetricSet = field(default_factory=lambda: MetricSet(METRICS))

    def __post_init__(self) -> None:
        self.file = FakeFile(self.clock)
        self.submissions = Submissions(self.vault, PEPPER, DEFAULT_PROFILE, self.clock, self.file, self.metrics, NAMES)


def content(**fields: Any) -> ReportContent:
    """A report as the topic carries it."""
    return ReportContent.model_validate(
        {
            "tracking_id": "5V16-2YYA-9HS6",
            "reporter_ref": REPORTER_REF,
            "classification": Classification.COMPLAINT,
            "title": "Jalan berlubang",
            "body": "Di depan rumah [nama]",
            "submitted_at": NOON,
            "profile": DEFAULT_PROFILE,
        }
        | fields
    )


def event(kind: type[CaseEvent], version: int, state: CaseState, **fields: Any) -> CaseEvent:
    """An event of this version that leads to this state."""
    given: dict[str, Any] = {"case_id": CASE_ID, "version": version, "state": state, "owner": Service.DISPATCH, "occurred_at": NOON}
    return kind.model_validate(given | fields)


def forwarded(version: int = 2, **fields: Any) -> CaseEvent:
    """T2 to the agency `dinas-pu` in Makassar."""
    given = {"agency": "dinas-pu", "time_zone": "Asia/Makassar", "report": content(), "published": True, "transition": Transition.T2}
    return event(cases.CaseForwarded, version, CaseState.AT_AGENCY, **(given | fields))


def accepted(version: int = 3, **fields: Any) -> CaseEvent:
    """T4 to the unit `bina-marga`."""
    assessment = {"unit": "bina-marga", "service_class": ServiceClass.ORDINARY, "completion_limit": 14}
    return event(cases.CaseAccepted, version, CaseState.DISPATCHED, **({"agency": "dinas-pu", "assessment": assessment} | fields))


def answered(version: int = 4, **fields: Any) -> CaseEvent:
    """T15."""
    given = {"agency": "dinas-pu", "answer": "Jalan sudah diperbaiki.", "evidence": ("foto-1",), "transition": Transition.T15}
    return event(cases.CaseAnswered, version, CaseState.RESPONDED, **(given | fields))


def incoming(body: Contract, *, replayed: bool = False) -> Incoming:
    """A message as the delivery core hands it over."""
    envelope = Envelope(CASE_ID, "dispatch", type(body).__name__, str(CASE_ID), NOON)
    return Incoming(envelope, str(CASE_ID), body, "tuntas.cases.v1", 0, 0, NOON, catching_up=replayed, replayed=replayed)
