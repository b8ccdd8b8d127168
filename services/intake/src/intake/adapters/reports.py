"""Writes new reports: everything that belongs to them, for all waiting requests, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from intake.application.errors import TrackingIdTaken
from intake.application.ports import Filed, IdempotencyConflict, NewReport, RetryReceipt
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_contracts.cases import ReportSubmitted
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import CaseState, Service

_TRACKING_IDS: Final = "report_tracking_id_key"  # the unique constraint
_KEYS = BulkColumns(
    tuple[NewReport, RetryReceipt],
    BulkColumn("key_hash", "bytea", lambda claim: claim[1].key_hash),
    BulkColumn("body_hash", "bytea", lambda claim: claim[1].body_hash),
    BulkColumn("case_id", "uuid", lambda claim: claim[0].case_id),
    BulkColumn("tracking_id", "text", lambda claim: claim[0].content.tracking_id),
    BulkColumn("sealed_receipt", "bytea", lambda claim: claim[1].sealed_receipt),
)
_CLAIM_KEYS = _KEYS.statement(
    "INSERT INTO idempotency ({names}, submitted_at) SELECT {values}, CAST(:now AS timestamptz) FROM {unnest} AS x ({names}) "
    "ON CONFLICT (key_hash) DO NOTHING RETURNING key_hash"
)
_CLAIMED = text(
    "SELECT key_hash, body_hash, case_id, tracking_id, submitted_at, sealed_receipt FROM idempotency "
    "WHERE key_hash = ANY(CAST(:key_hashes AS bytea[]))"
)
_REPORTS = BulkColumns(
    tuple[NewReport, ReportContent],
    BulkColumn("case_id", "uuid", lambda new: new[0].case_id),
    BulkColumn("tracking_id", "text", lambda new: new[1].tracking_id),
    BulkColumn("access_hash", "bytea", lambda new: new[0].access_hash),
    BulkColumn("reporter_ref", "uuid", lambda new: new[1].reporter_ref),
    BulkColumn("wrapped_key", "bytea", lambda new: new[0].sealed.wrapped_key),
    BulkColumn("ciphertext", "bytea", lambda new: new[0].sealed.ciphertext),
    BulkColumn("classification", "text", lambda new: new[1].classification.value),
    BulkColumn("channel", "text", lambda new: str(new[1].channel)),
    BulkColumn("language", "text", lambda new: new[1].language),
    BulkColumn("anonymous", "boolean", lambda new: new[1].anonymous),
    BulkColumn("secret", "boolean", lambda new: new[1].secret),
    BulkColumn("misconduct", "boolean", lambda new: new[1].misconduct),
    BulkColumn("title", "text", lambda new: new[1].title),
    BulkColumn("entered_by", "text", lambda new: new[0].entered_by),
    BulkColumn("received_at", "timestamptz", lambda new: new[0].original_received_at),
    BulkColumn("assisted", "boolean", lambda new: new[0].assisted),
    BulkColumn("profile", "text", lambda new: new[1].profile),
)
_INSERT = _REPORTS.statement(
    "WITH new AS (SELECT * FROM {unnest} AS x ({names})), "
    "reporters AS (INSERT INTO reporter (reporter_ref, wrapped_key) SELECT reporter_ref, wrapped_key FROM new), "
    "originals AS (INSERT INTO personal_data (reporter_ref, source_id, ciphertext) SELECT reporter_ref, case_id, ciphertext FROM new) "
    "INSERT INTO report (case_id, tracking_id, access_hash, reporter_ref, classification, channel, language, anonymous, secret, "
    "misconduct, title, submitted_at, entered_by, original_received_at, assisted, profile) "
    "SELECT case_id, tracking_id, access_hash, reporter_ref, classification, channel, language, anonymous, secret, misconduct, title, "
    "CAST(:now AS timestamptz), entered_by, received_at, assisted, profile FROM new"
)


@dataclass(frozen=True, slots=True)
class _Claim:
    body_hash: bytes
    filed: Filed


class ReportWriter:
    """The write of a group commit."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def write(self, connection: AsyncConnection, items: Sequence[NewReport], now: datetime) -> Sequence[Filed | IdempotencyConflict]:
        """Write those reports that are new, with their events; for the others return what is on file.

        Raises TrackingIdTaken where a report's tracking id is an earlier one's.
        """
        claims = await self._claim(connection, items, now)
        results: list[Filed | IdempotencyConflict] = []
        new: list[NewReport] = []
        for item in items:
            claim = claims.get(item.retry.key_hash) if item.retry else None
            if item.retry is None or claim is None or claim.filed.case_id == item.case_id:
                new.append(item)
                results.append(Filed(item.case_id, item.content.tracking_id, now))
            else:
                results.append(claim.filed if claim.body_hash == item.retry.body_hash else IdempotencyConflict())
        if new:
            await self._insert(connection, new, now)
        return results

    async def _claim(self, connection: AsyncConnection, items: Sequence[NewReport], now: datetime) -> dict[bytes, _Claim]:
        """Who holds each key: the first of this group, or an earlier submission, also one that another replica commits meanwhile."""
        first: dict[bytes, NewReport] = {}
        for item in items:
            if item.retry:
                first.setdefault(item.retry.key_hash, item)
        if not first:
            return {}
        keys = sorted(first)  # in one order, so that two replicas with the same keys can't wait for each other
        claimants = [(item, item.retry) for item in (first[key] for key in keys) if item.retry]
        won = await connection.execute(_CLAIM_KEYS, {**_KEYS.arrays(claimants), "now": now})
        claims: dict[bytes, _Claim] = {}
        for key in won.scalars():
            item = first[key]
            if item.retry:
                filed = Filed(item.case_id, item.content.tracking_id, now, item.retry.sealed_receipt)
                claims[key] = _Claim(item.retry.body_hash, filed)
        if lost := [key for key in keys if key not in claims]:
            for row in await connection.execute(_CLAIMED, {"key_hashes": lost}):
                claims[row.key_hash] = _Claim(row.body_hash, Filed(row.case_id, row.tracking_id, row.submitted_at, row.sealed_receipt))
        return claims

    async def _insert(self, connection: AsyncConnection, new: Sequence[NewReport], now: datetime) -> None:
        reports = [(item, item.content.model_copy(update={"submitted_at": now})) for item in new]
        try:
            await connection.execute(_INSERT, {**_REPORTS.arrays(reports), "now": now})
        except IntegrityError as error:
            if _TRACKING_IDS in str(error.orig):
                raise TrackingIdTaken("a new report has the tracking id of an earlier one") from error
            raise
        messages = [_message(item, content, now) for item, content in reports]
        await self._outbox.write(connection, messages, traceparents=[item.traceparent for item in new])


def _message(item: NewReport, content: ReportContent, now: datetime) -> Outgoing:
    # The clocks of a report received by hand start when it was received, not when it was typed in.
    occurred_at = item.original_received_at or now
    event = ReportSubmitted(
        case_id=item.case_id,
        version=1,
        occurred_at=occurred_at,
        state=CaseState.RECEIVED,
        owner=Service.TRIAGE,
        actor=item.actor,
        report=content,
        assisted=item.assisted,
        name_fingerprints=item.name_fingerprints,
    )
    return Outgoing(CASES.name, str(item.case_id), event, occurred_at)
