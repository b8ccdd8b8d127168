"""Intake's ports in memory, by the rules of the real ones; what is stored can be looked at."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import cast
from uuid import UUID

from intake.adapters.vault import Vault
from intake.application.errors import TrackingIdTaken
from intake.application.ports import (
    Filed,
    Found,
    IdempotencyConflict,
    KnownInput,
    Missing,
    NewReport,
    Read,
    ReporterOfCase,
    StoredReport,
)
from intake.domain.history import CaseStatus, HistoryEntry, case_status, entry_of
from intake.domain.masking import OwnData
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.persistence.database import Transaction
from tuntas_contracts.base import CaseEvent


@dataclass
class Stored:
    """What the database holds. `keys` are those of reporters whose data is not erased; `log` has subject, purpose and case."""

    reports: dict[UUID, NewReport] = field(default_factory=dict)
    submitted: dict[UUID, Filed] = field(default_factory=dict)
    codes: dict[UUID, bytes | None] = field(default_factory=dict)
    inputs: dict[UUID, tuple[UUID, KnownInput]] = field(default_factory=dict)
    history: dict[UUID, list[HistoryEntry]] = field(default_factory=dict)
    keys: dict[UUID, bytes] = field(default_factory=dict)
    originals: dict[tuple[UUID, UUID], bytes] = field(default_factory=dict)
    erased: dict[UUID, datetime] = field(default_factory=dict)
    log: list[tuple[str, str, UUID]] = field(default_factory=list)
    outbox: list[Outgoing] = field(default_factory=list)

    def read(self, *events: CaseEvent) -> None:
        """Append these events to the history of their cases, as the subscription does."""
        for event in events:
            self.history[event.case_id] = [*self.history.get(event.case_id, []), entry_of(event)]


class FakeDatabase:
    """Transactions on what is stored: an error puts it back."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        before = {f.name: copy(getattr(self._stored, f.name)) for f in fields(self._stored)}
        try:
            yield _NOBODY_LOOKS_AT_IT
        except BaseException:
            for name, value in before.items():
                setattr(self._stored, name, value)
            raise

    connect = begin
    read = begin


class FakeOutbox:
    """Keeps messages; `woken` counts how often the relay was woken."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.woken = 0

    async def write(self, _connection: object, outgoing: Sequence[Outgoing], /) -> None:
        self._stored.outbox += outgoing

    def written(self) -> None:
        self.woken += 1


class FakeReportFile:
    """Writes each report at once."""

    def __init__(self, stored: Stored, now: Callable[[], datetime]) -> None:
        self._stored = stored
        self._now = now

    async def submit(self, item: NewReport, /) -> Filed | IdempotencyConflict:
        for earlier in self._stored.reports.values():
            if item.retry and earlier.retry and earlier.retry.key_hash == item.retry.key_hash:
                if earlier.retry.body_hash != item.retry.body_hash:
                    return IdempotencyConflict()
                return self._stored.submitted[earlier.case_id]._replace(sealed_receipt=earlier.retry.sealed_receipt)
        if any(earlier.content.tracking_id == item.content.tracking_id for earlier in self._stored.reports.values()):
            raise TrackingIdTaken(item.content.tracking_id)
        filed = Filed(item.case_id, item.content.tracking_id, self._now())
        self._stored.reports[item.case_id] = item
        self._stored.submitted[item.case_id] = filed
        self._stored.codes[item.case_id] = item.access_hash
        self._stored.keys[item.content.reporter_ref] = item.sealed.wrapped_key
        self._stored.originals[item.content.reporter_ref, item.case_id] = item.sealed.ciphertext
        return filed


class FakeReports:
    """The reports on file."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    async def find(self, _connection: object, tracking_id: str, /) -> StoredReport | None:
        for report in self._stored.reports.values():
            if report.content.tracking_id == tracking_id:
                return StoredReport(
                    report.case_id,
                    tracking_id,
                    self._stored.codes[report.case_id],
                    report.content.reporter_ref,
                    report.content.classification,
                    report.content.title,
                    self._stored.submitted[report.case_id].submitted_at,
                    report.assisted,
                    report.content.profile,
                )
        return None

    async def reporter_of(self, _connection: object, case_id: UUID, /) -> ReporterOfCase | None:
        report = self._stored.reports.get(case_id)
        return report and ReporterOfCase(report.content.reporter_ref, report.content.anonymous, report.content.misconduct)

    async def renew_codes(self, _connection: object, access_hashes: Mapping[UUID, bytes], /) -> Sequence[UUID]:
        due = [case_id for case_id in access_hashes if (report := self._stored.reports[case_id]).entered_by and not report.assisted]
        self._stored.codes |= {case_id: access_hashes[case_id] for case_id in due}
        return due


class FakeInputFile:
    """The inputs accepted so far."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    async def lock_report(self, _connection: object, _case_id: UUID, /) -> None:
        """Here one thing happens after the other."""

    async def find(self, _connection: object, input_id: UUID, case_id: UUID, /) -> KnownInput | None:
        of, known = self._stored.inputs.get(input_id, (None, None))
        return known if of == case_id else None

    async def add(self, _connection: object, input_id: UUID, case_id: UUID, body_hash: bytes, accepted_at: datetime, /) -> None:
        self._stored.inputs[input_id] = case_id, KnownInput(body_hash, accepted_at)


class FakeCaseHistory:
    """What was read of cases."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    async def status(self, _connection: object, case_id: UUID, /) -> CaseStatus:
        return case_status(self._stored.history.get(case_id, []))

    async def page(self, _connection: object, case_id: UUID, *, before: int | None, limit: int) -> Sequence[HistoryEntry]:
        return [entry for entry in self._stored.history.get(case_id, []) if before is None or entry.version < before][-limit:]


class FakePersonalData:
    """Personal data under the keys of a real vault."""

    def __init__(self, stored: Stored, vault: Vault) -> None:
        self._stored = stored
        self._vault = vault

    async def read(self, _connection: object, reads: Sequence[Read], subject: str, _at: datetime, /) -> Sequence[Found | Missing]:
        results = [self._one(read) for read in reads]
        self._stored.log += [(subject, r.purpose, r.case_id) for r, found in zip(reads, results, strict=True) if isinstance(found, Found)]
        return results

    def _one(self, read: Read) -> Found | Missing:
        report = self._stored.reports.get(read.case_id)
        if report is None or report.content.reporter_ref != read.reporter_ref:
            return "unknown"
        if read.reporter_ref in self._stored.erased:
            return "erased"
        key, sealed = self._stored.keys[read.reporter_ref], self._stored.originals[read.reporter_ref, read.case_id]
        own = json.loads(self._vault.open(read.reporter_ref, key, sealed)).get("reporter", {})
        return Found(report.content.tracking_id, report.content.language, OwnData(**own))

    async def add(self, _connection: object, reporter_ref: UUID, source_id: UUID, original: str, /) -> None:
        if key := self._stored.keys.get(reporter_ref):
            self._stored.originals[reporter_ref, source_id] = self._vault.seal_more(reporter_ref, key, original.encode())

    async def cases_of(self, _connection: object, reporter_ref: UUID, /) -> Sequence[UUID]:
        return [source for ref, source in self._stored.originals if ref == reporter_ref and source in self._stored.reports]

    async def erase(self, _connection: object, erased: Mapping[UUID, datetime], /) -> int:
        known = {ref: at for ref, at in erased.items() if self._stored.keys.pop(ref, None)}
        self._stored.erased |= known
        self._stored.originals = {place: sealed for place, sealed in self._stored.originals.items() if place[0] not in erased}
        return len(known)


_NOBODY_LOOKS_AT_IT = cast("Transaction", None)
