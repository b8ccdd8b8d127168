"""What the subscriptions read and write: facts of cases, deliveries, and agencies' contacts, each in bulk."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.domain.agency_contact import AgencyContact
from notifier.domain.case_facts import CaseFacts
from notifier.domain.delivery import Delivery, Status
from notifier.metrics import QUEUED
from tuntas_chassis.messaging.subscription import Stateless
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.notices import NoticeEvent, NoticeFailed, NoticeNotSent, NoticeSent
from tuntas_contracts.vocabulary import Role

_LOAD_FACTS = text(
    "SELECT case_id, version, reporter_ref, tracking_id, profile, agency, ended FROM case_notice_state "
    "WHERE case_id = ANY(CAST(:keys AS uuid[])) ORDER BY case_id FOR UPDATE"
)
_SAVE_FACTS = text(
    "INSERT INTO case_notice_state (case_id, version, reporter_ref, tracking_id, profile, agency, ended) "
    "SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[]), CAST(:refs AS uuid[]), CAST(:trackings AS text[]), "
    "CAST(:profiles AS text[]), CAST(:agencies AS text[]), CAST(:ended AS boolean[])) "
    "ON CONFLICT (case_id) DO UPDATE SET version = excluded.version, reporter_ref = excluded.reporter_ref, "
    "tracking_id = excluded.tracking_id, profile = excluded.profile, agency = excluded.agency, ended = excluded.ended"
)
_QUEUE = text(
    "INSERT INTO delivery (case_id, notice_id, audience, kind, recipient, agency, variables, traceparent, occurred_at) "
    "SELECT c, n, u, k, r, a, CAST(v AS jsonb), p, o FROM unnest(CAST(:cases AS uuid[]), CAST(:notices AS uuid[]), "
    "CAST(:audiences AS smallint[]), CAST(:kinds AS text[]), CAST(:recipients AS text[]), CAST(:agencies AS text[]), "
    "CAST(:variables AS text[]), CAST(:parents AS text[]), CAST(:times AS timestamptz[])) AS t(c, n, u, k, r, a, v, p, o) "
    "ON CONFLICT (case_id, notice_id) DO NOTHING RETURNING kind"
)
_SETTLE = text(
    "INSERT INTO delivery AS d (case_id, notice_id, audience, kind, recipient, agency, variables, traceparent, status, attempts, reason, "
    "occurred_at, settled_at) SELECT c, n, u, k, r, a, '{}', '', s, t, w, o, o FROM unnest(CAST(:cases AS uuid[]), "
    "CAST(:notices AS uuid[]), CAST(:audiences AS smallint[]), CAST(:kinds AS text[]), CAST(:recipients AS text[]), "
    "CAST(:agencies AS text[]), CAST(:statuses AS text[]), CAST(:attempts AS int[]), CAST(:reasons AS text[]), "
    "CAST(:times AS timestamptz[])) AS x(c, n, u, k, r, a, s, t, w, o) ORDER BY c, n "
    "ON CONFLICT (case_id, notice_id) DO UPDATE SET status = excluded.status, attempts = excluded.attempts, reason = excluded.reason, "
    "settled_at = excluded.settled_at WHERE d.status IN ('queued', 'sending', 'waiting')"
)
_LOAD_CONTACTS = text(
    "SELECT code, name, email, time_zone, supervised_by, as_of FROM agency_contact "
    "WHERE code = ANY(CAST(:keys AS text[])) ORDER BY code FOR UPDATE"
)
_SAVE_CONTACTS = text(
    "INSERT INTO agency_contact (code, name, email, time_zone, supervised_by, as_of) "
    "SELECT * FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:emails AS text[]), CAST(:zones AS text[]), "
    "CAST(:supervisors AS text[]), CAST(:as_of AS timestamptz[])) "
    "ON CONFLICT (code) DO UPDATE SET name = excluded.name, email = excluded.email, time_zone = excluded.time_zone, "
    "supervised_by = excluded.supervised_by, as_of = excluded.as_of"
)


class DeliveryWriter:
    """Queues deliveries; one that is queued already stays as it is."""

    def __init__(self, metrics: MetricSet, wake: Callable[[], None]) -> None:
        """`wake` tells the sender that something is about to be committed."""
        self._metrics = metrics
        self._wake = wake

    async def write(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Queue them in the connection's transaction."""
        if not deliveries:
            return
        queued = await connection.execute(
            _QUEUE,
            {
                "cases": [d.case_id for d in deliveries],
                "notices": [d.notice_id for d in deliveries],
                "audiences": [_audience(d.recipient) for d in deliveries],
                "kinds": [d.kind.value for d in deliveries],
                "recipients": [str(d.recipient) for d in deliveries],
                "agencies": [d.agency for d in deliveries],
                "variables": [json.dumps(dict(d.variables), separators=(",", ":")) for d in deliveries],
                "parents": [d.traceparent for d in deliveries],
                "times": [d.occurred_at for d in deliveries],
            },
        )
        for kind, count in Counter(queued.scalars()).items():
            self._metrics.inc(QUEUED, kind, by=count)
        self._wake()


class CaseStore:
    """Facts by case, and deliveries as further rows."""

    def __init__(self, writer: DeliveryWriter) -> None:
        self._writer = writer

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, CaseFacts]:
        """Lock and read; keys that are no case id have no facts."""
        rows = await connection.execute(_LOAD_FACTS, {"keys": [k for k in map(_as_uuid, keys) if k]})
        return {str(row.case_id): CaseFacts(*row) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[CaseFacts], rows: Sequence[object]) -> None:
        """Write facts and queue deliveries."""
        if states:
            await connection.execute(
                _SAVE_FACTS,
                {
                    "ids": [s.case_id for s in states],
                    "versions": [s.version for s in states],
                    "refs": [s.reporter_ref for s in states],
                    "trackings": [s.tracking_id for s in states],
                    "profiles": [s.profile for s in states],
                    "agencies": [s.agency for s in states],
                    "ended": [s.ended for s in states],
                },
            )
        await self._writer.write(connection, [row for row in rows if isinstance(row, Delivery)])


class DeadlineStore(Stateless[None]):
    """Deliveries only: what a deadline's notice needs of its case is read when it is sent."""

    def __init__(self, writer: DeliveryWriter) -> None:
        self._writer = writer

    async def save(self, connection: AsyncConnection, states: Sequence[None], rows: Sequence[object]) -> None:
        """Queue deliveries."""
        await self._writer.write(connection, [row for row in rows if isinstance(row, Delivery)])


class OwnNoticeStore(Stateless[None]):
    """Deliveries that are settled according to their own event, whether they are queued again, still, or not yet."""

    async def save(self, connection: AsyncConnection, states: Sequence[None], rows: Sequence[object]) -> None:
        """Settle them."""
        told = list({row.notice_id: row for row in rows if isinstance(row, NoticeEvent)}.values())
        if told:
            await connection.execute(
                _SETTLE,
                {
                    "cases": [t.case_id for t in told],
                    "notices": [t.notice_id for t in told],
                    "audiences": [_audience(t.recipient) for t in told],
                    "kinds": [t.kind for t in told],
                    "recipients": [str(t.recipient) for t in told],
                    "agencies": [t.agency for t in told],
                    "statuses": [_status(t).value for t in told],
                    "attempts": [t.attempt if isinstance(t, NoticeSent) else 0 for t in told],
                    "reasons": [t.reason if isinstance(t, NoticeFailed | NoticeNotSent) else None for t in told],
                    "times": [t.occurred_at for t in told],
                },
            )


class AgencyContactStore:
    """Contacts of agencies by their codes."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, AgencyContact]:
        """Lock and read."""
        rows = await connection.execute(_LOAD_CONTACTS, {"keys": list(keys)})
        return {row.code: AgencyContact(*row) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[AgencyContact], rows: Sequence[object]) -> None:
        """Write."""
        if states:
            await connection.execute(
                _SAVE_CONTACTS,
                {
                    "codes": [s.code for s in states],
                    "names": [s.name for s in states],
                    "emails": [s.email for s in states],
                    "zones": [s.time_zone for s in states],
                    "supervisors": [s.supervised_by for s in states],
                    "as_of": [s.as_of for s in states],
                },
            )


def _status(told: NoticeEvent) -> Status:
    if isinstance(told, NoticeNotSent):
        return Status.NO_CHANNEL
    return Status.FAILED if isinstance(told, NoticeFailed) else Status.SENT


def _audience(recipient: Role | str) -> int:
    return 0 if recipient is Role.REPORTER else 1


def _as_uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
