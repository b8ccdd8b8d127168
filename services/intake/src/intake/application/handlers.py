"""What intake does with a submission, an input of a reporter, a request for personal data, and an event of a case."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from intake.application.commands import SubmitReport
from intake.application.errors import FutureIncident, FutureReceipt, ReceivedTooLongAgo, RetryKeyReused, TrackingIdTaken
from intake.application.ports import Caller, IdempotencyConflict, NewReport, RebuiltReport, ReportFile, RetryReceipt, Vault
from intake.domain.history import HistoryEntry, entry_of
from intake.domain.masking import Masker, OwnData
from intake.domain.receipts import access_code_hash, new_access_code, new_tracking_id
from intake.domain.submission import is_future, is_stale, is_too_old
from intake.metrics import ACCEPTED, MASKED, REPLAYED
from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.telemetry.tracing import current_traceparent
from tuntas_contracts.base import Actor, CaseEvent
from tuntas_contracts.cases import ReporterErased, ReportSubmitted
from tuntas_contracts.reports import Place, ReportContent
from tuntas_contracts.texts.masking import Masked
from tuntas_contracts.texts.name_fingerprints import NameKeys
from tuntas_contracts.vocabulary import Role
from tuntas_reference.profile import load_profile

_TRACKING_ID_TRIES = 3


def follow(_known: HistoryEntry | None, incoming: Incoming) -> Outcome[HistoryEntry]:
    """An owner's event becomes a line of the history.

    Own events that came back make good what a database that was put back has lost: a report's row, a reporter's erasure.
    """
    event = incoming.body
    if isinstance(event, ReporterErased):
        return Outcome(None, rows=[event])
    if isinstance(event, ReportSubmitted):
        report = event.report
        return Outcome(
            None,
            rows=[
                RebuiltReport(
                    case_id=event.case_id,
                    tracking_id=report.tracking_id,
                    reporter_ref=report.reporter_ref,
                    classification=report.classification.value,
                    channel=str(report.channel),
                    language=report.language,
                    anonymous=report.anonymous,
                    secret=report.secret,
                    misconduct=report.misconduct,
                    title=report.title,
                    submitted_at=report.submitted_at,
                    assisted=event.assisted,
                    profile=report.profile,
                )
            ],
        )
    if not isinstance(event, CaseEvent):
        raise TypeError(f"intake follows events of the owners of cases, not {type(event).__name__}")
    return Outcome(None, rows=[entry_of(event)])


class MaskedCount(NamedTuple):
    """How often identifiers of a kind were masked in a field."""

    field: str
    kind: str
    number: int


class NewReceipt(NamedTuple):
    """What a reporter, or who enters the report, holds in hand. `access_code` is None where it is mailed to the reporter."""

    case_id: UUID
    tracking_id: str
    submitted_at: datetime
    access_code: str | None
    masked: Sequence[MaskedCount]


class Submissions:
    """Takes reports in: masks, encrypts, and hands them to the group commit."""

    def __init__(
        self,
        vault: Vault,
        pepper: bytes,
        profile: str,
        clock: Clock,
        group: ReportFile,
        metrics: MetricSet,
        names: NameKeys,
    ) -> None:
        self._vault = vault
        self._pepper = pepper
        self._profile = profile
        self._stale_days = load_profile(profile).limits.stale_complaint_calendar_days
        self._clock = clock
        self._group = group
        self._metrics = metrics
        self._names = names

    async def submit(self, request: SubmitReport, entered_by: Caller | None, idempotency_key: str | None) -> NewReceipt:
        """The receipt of a report that is on file. `entered_by` is the officer who types a report received by hand.

        Raises:
            FutureIncident, FutureReceipt, ReceivedTooLongAgo: the report can't be of that time.
            RetryKeyReused: an officer used the key for another body.
            TrackingIdTaken: each id that was drawn is an earlier report's; another request draws others.
        """
        now = self._clock.now()
        _check_times(request, now)
        original = request.model_dump_json(exclude_defaults=True).encode()
        for attempt in range(1, _TRACKING_ID_TRIES + 1):
            report, access_code, masked = self._prepare(request, original, entered_by, idempotency_key, now)
            try:
                filed = await self._group.submit(report)
            except TrackingIdTaken:
                # 55 random bits meet an earlier tracking id perhaps once in the platform's life
                if attempt == _TRACKING_ID_TRIES:
                    raise
                continue
            break
        if isinstance(filed, IdempotencyConflict):
            raise RetryKeyReused("report")
        if filed.sealed_receipt is not None:
            self._metrics.inc(REPLAYED)
            access_code, masked = self._opened(filed.case_id, filed.sealed_receipt)
        else:
            self._metrics.inc(ACCEPTED, request.classification.value, request.channel.value)
            for item in masked:
                self._metrics.inc(MASKED, item.kind, by=item.number)
        return NewReceipt(filed.case_id, filed.tracking_id, filed.submitted_at, access_code, masked)

    def _prepare(
        self, request: SubmitReport, original: bytes, entered_by: Caller | None, idempotency_key: str | None, now: datetime
    ) -> tuple[NewReport, str | None, list[MaskedCount]]:
        case_id, reporter_ref = new_id(), new_id()
        # Whoever enters a report for somebody must not be able to answer in their name: the code goes to the reporter's address.
        access_code = new_access_code() if entered_by is None or request.reporter.email is None else None
        content, masked = self._content(request, Masker(own_data(request)), reporter_ref, now)
        if entered_by is None:
            actor = Actor(role=Role.REPORTER, subject=str(reporter_ref))
        else:
            role = Role.CLERK if Role.CLERK in entered_by.roles else Role.AGENCY_SYSTEM
            actor = Actor(role=role, subject=entered_by.subject, agency=entered_by.agency)
        retry = None
        if idempotency_key is not None:
            body_hash = self._digest(b"body", original)
            # Clients without a token can't be distinguished, and people choose keys like 1: such a key counts for its body only, so that
            # nobody's key blocks another's report or shows its receipt.
            scope = (entered_by.subject.encode(),) if entered_by else (b"", body_hash)
            retry = RetryReceipt(
                key_hash=self._digest(b"idempotency", *scope, idempotency_key.encode()),
                body_hash=body_hash,
                sealed_receipt=self._sealed(case_id, access_code, masked),
            )
        report = NewReport(
            case_id=case_id,
            access_hash=access_code_hash(self._pepper, case_id, access_code) if access_code else None,
            sealed=self._vault.seal_new(reporter_ref, original),
            content=content,
            actor=actor,
            entered_by=entered_by.subject if entered_by else None,
            original_received_at=request.original_received_at,
            traceparent=current_traceparent(),
            retry=retry,
            assisted=entered_by is not None and access_code is not None,
            name_fingerprints=self._names.fingerprints(case_id, request.reporter.name),
        )
        return report, access_code, masked

    def _content(self, request: SubmitReport, masker: Masker, reporter_ref: UUID, now: datetime) -> tuple[ReportContent, list[MaskedCount]]:
        title, body = masker.mask(request.title), masker.mask(request.body)
        resolution = masker.mask(request.requested_resolution) if request.requested_resolution else None
        place_text = masker.mask(request.place.text) if request.place and request.place.text else None
        place = request.place and Place(
            region_code=request.place.region_code,
            text=place_text and place_text.text,
            latitude=request.place.latitude,
            longitude=request.place.longitude,
        )
        content = ReportContent(
            tracking_id=new_tracking_id(),
            reporter_ref=reporter_ref,
            classification=request.classification,
            title=title.text,
            body=body.text,
            category=request.category,
            incident_date=request.incident_date,
            place=place,
            addressed_agency=request.addressed_agency,
            suggested_agency=request.suggested_agency,
            service_kind=request.service_kind,
            loss_rupiah=request.loss_rupiah,
            requested_resolution=resolution and resolution.text,
            misconduct=request.misconduct,
            anonymous=request.anonymous,
            secret=request.secret,
            channel=request.channel,
            language=request.language,
            origin=request.origin,
            submitted_at=now,
            older_than_30_days=is_stale(
                request.classification, request.incident_date, request.original_received_at or now, self._stale_days
            ),
            profile=self._profile,
        )
        fields = {"title": title, "body": body, "requested_resolution": resolution, "place.text": place_text}
        return content, [item for field, text in fields.items() if text and text.found for item in _masked_in(field, text)]

    def _digest(self, purpose: bytes, *parts: bytes) -> bytes:
        # hashed parts have one length, so that no two lists of parts look alike
        return hmac.digest(self._pepper, purpose + b"".join(hashlib.sha256(part).digest() for part in parts), hashlib.sha256)

    def _sealed(self, case_id: UUID, access_code: str | None, masked: list[MaskedCount]) -> bytes:
        plaintext = json.dumps([access_code, masked]).encode()
        return self._vault.wrap(plaintext, b"receipt\0" + case_id.bytes)

    def _opened(self, case_id: UUID, sealed: bytes) -> tuple[str | None, list[MaskedCount]]:
        access_code, masked = json.loads(self._vault.unwrap(sealed, b"receipt\0" + case_id.bytes))
        return access_code, [MaskedCount(*item) for item in masked]


def own_data(request: SubmitReport) -> OwnData:
    """What the reporter said about themselves."""
    reporter = request.reporter
    return OwnData(reporter.name, reporter.email, reporter.phone, reporter.nik, reporter.address)


def _masked_in(field: str, text: Masked) -> list[MaskedCount]:
    return [MaskedCount(field, kind.value, text.found.count(kind)) for kind in dict.fromkeys(text.found)]


def _check_times(request: SubmitReport, now: datetime) -> None:
    if request.incident_date is not None and is_future(request.incident_date, now):
        raise FutureIncident(f"{request.incident_date} lies ahead")
    received = request.original_received_at
    if received is not None and received > now:
        raise FutureReceipt(f"{received} lies ahead")
    if received is not None and is_too_old(received, now):
        raise ReceivedTooLongAgo(f"{received} lies too far back")
