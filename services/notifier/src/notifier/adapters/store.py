"""What the subscriptions read and write: facts of cases, deliveries, and agencies' contacts, each in bulk."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.domain.agency_contact import AgencyContact
from notifier.domain.case_facts import CaseFacts
from notifier.domain.delivery import Delivery, Status
from notifier.metrics import QUEUED
from tuntas_chassis.messaging.subscription import Stateless
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.notices import NoticeEvent, NoticeFailed, NoticeNotSent, NoticeSent
from tuntas_contracts.vocabulary import Role


def _audience(recipient: Role | str) -> int:
    return 0 if recipient is Role.REPORTER else 1


def _status(event: NoticeEvent) -> Status:
    if isinstance(event, NoticeNotSent):
        return Status.NO_CHANNEL
    return Status.FAILED if isinstance(event, NoticeFailed) else Status.SENT


_FACTS = BulkColumns(
    CaseFacts,
    BulkColumn("case_id", "uuid", fixed=True),
    BulkColumn("version", "integer"),
    BulkColumn("reporter_ref", "uuid"),
    BulkColumn("tracking_id", "text"),
    BulkColumn("profile", "text"),
    BulkColumn("agency", "text"),
    BulkColumn("ended", "boolean"),
)
_DELIVERIES = BulkColumns(
    Delivery,
    BulkColumn("case_id", "uuid"),
    BulkColumn("notice_id", "uuid"),
    BulkColumn("audience", "smallint", lambda d: _audience(d.recipient)),
    BulkColumn("kind", "text"),
    BulkColumn("recipient", "text"),
    BulkColumn("agency", "text"),
    BulkColumn("variables", "text", lambda d: json.dumps(dict(d.variables), separators=(",", ":")), cast="jsonb"),
    BulkColumn("traceparent", "text"),
    BulkColumn("occurred_at", "timestamptz"),
)
_OUTCOMES = BulkColumns(
    NoticeEvent,
    BulkColumn("case_id", "uuid", fixed=True),
    BulkColumn("notice_id", "uuid", fixed=True),
    BulkColumn("audience", "smallint", lambda event: _audience(event.recipient), fixed=True),
    BulkColumn("kind", "text", fixed=True),
    BulkColumn("recipient", "text", fixed=True),
    BulkColumn("agency", "text", fixed=True),
    BulkColumn("status", "text", _status),
    BulkColumn("attempts", "integer", lambda event: event.attempt if isinstance(event, NoticeSent) else 0),
    BulkColumn("reason", "text", lambda event: event.reason if isinstance(event, NoticeFailed | NoticeNotSent) else None),
    BulkColumn("occurred_at", "timestamptz", fixed=True),
)
_CONTACTS = BulkColumns(
    AgencyContact,
    BulkColumn("code", "text", fixed=True),
    BulkColumn("name", "text"),
    BulkColumn("email", "text"),
    BulkColumn("time_zone", "text"),
    BulkColumn("supervised_by", "text"),
    BulkColumn("as_of", "timestamptz"),
)

_LOAD_FACTS = _FACTS.statement(
    "SELECT {names} FROM case_notice_state WHERE case_id = ANY(CAST(:keys AS uuid[])) ORDER BY case_id FOR UPDATE"
)
_SAVE_FACTS = _FACTS.statement(
    "INSERT INTO case_notice_state ({names}) SELECT * FROM {unnest} ON CONFLICT (case_id) DO UPDATE SET {changes}"
)
_QUEUE = _DELIVERIES.statement(
    "INSERT INTO delivery ({names}) SELECT {values} FROM {unnest} AS x ({names}) ON CONFLICT (case_id, notice_id) DO NOTHING RETURNING kind"
)
_RECORD = _OUTCOMES.statement(
    "INSERT INTO delivery AS d ({names}, variables, traceparent, settled_at) SELECT {names}, '{{}}', '', occurred_at "
    "FROM {unnest} AS x ({names}) ORDER BY case_id, notice_id ON CONFLICT (case_id, notice_id) "
    "DO UPDATE SET {changes}, settled_at = EXCLUDED.settled_at WHERE d.status IN ('queued', 'sending', 'waiting')"
)
_LOAD_CONTACTS = _CONTACTS.statement("SELECT {names} FROM agency_contact WHERE code = ANY(CAST(:keys AS text[])) ORDER BY code FOR UPDATE")
_SAVE_CONTACTS = _CONTACTS.statement(
    "INSERT INTO agency_contact ({names}) SELECT * FROM {unnest} ON CONFLICT (code) DO UPDATE SET {changes}"
)


class DeliveryWriter:
    """Queues deliveries; one that is queued already stays as it is."""

    def __init__(self, metrics: MetricSet, wake: Callable[[], None]) -> None:
        """`wake` notifies the sender that something is about to be committed."""
        self._metrics = metrics
        self._wake = wake

    async def write(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Queue them in the connection's transaction."""
        if not deliveries:
            return
        queued = await connection.execute(_QUEUE, _DELIVERIES.arrays(deliveries))
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
            await connection.execute(_SAVE_FACTS, _FACTS.arrays(states))
        await self._writer.write(connection, [row for row in rows if isinstance(row, Delivery)])


class DeadlineStore(Stateless[None]):
    """Deliveries only: what a deadline's notice needs of its case is read when it is sent."""

    def __init__(self, writer: DeliveryWriter) -> None:
        self._writer = writer

    async def save(self, connection: AsyncConnection, states: Sequence[None], rows: Sequence[object]) -> None:
        """Queue deliveries."""
        await self._writer.write(connection, [row for row in rows if isinstance(row, Delivery)])


class OwnNoticeStore(Stateless[None]):
    """Deliveries that are over according to their own event, whether they are queued again, still, or not yet."""

    async def save(self, connection: AsyncConnection, states: Sequence[None], rows: Sequence[object]) -> None:
        """Record their outcomes."""
        events = list({row.notice_id: row for row in rows if isinstance(row, NoticeEvent)}.values())
        if events:
            await connection.execute(_RECORD, _OUTCOMES.arrays(events))


class AgencyContactStore:
    """Contacts of agencies by their codes."""

    async def load(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, AgencyContact]:
        """Lock and read."""
        rows = await connection.execute(_LOAD_CONTACTS, {"keys": list(keys)})
        return {row.code: AgencyContact(*row) for row in rows}

    async def save(self, connection: AsyncConnection, states: Sequence[AgencyContact], rows: Sequence[object]) -> None:
        """Write."""
        if states:
            await connection.execute(_SAVE_CONTACTS, _CONTACTS.arrays(states))


def _as_uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
