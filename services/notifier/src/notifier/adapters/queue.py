"""The queue of deliveries in PostgreSQL: taken and recorded many at once."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from sqlalchemy import Row, text

from notifier.application.delivery_events import SET_ASIDE_KIND
from notifier.application.ports import DeliveryEvent
from notifier.domain.delivery import Claimed, Delivery, Settlement
from notifier.domain.notices import NoticeKind
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.outbox import Outbox
from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.set_aside_rows import count_set_aside, fault_of
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import Role

_log = logger(__name__)
_WOKEN_AT_ONCE = 1_000

# Each audience by the index on what is due; rows that another process is taking are skipped
_CLAIM = text(
    # what waited for the morning is queued now and taken by the next look; `next_attempt_at` of it is business time
    "WITH woken AS (UPDATE delivery d SET status = 'queued', next_attempt_at = :now, created_at = now() FROM (SELECT case_id, notice_id "
    "FROM delivery WHERE status = 'waiting' AND next_attempt_at <= :business_now ORDER BY next_attempt_at LIMIT :woken "
    "FOR UPDATE SKIP LOCKED) AS w WHERE d.case_id = w.case_id AND d.notice_id = w.notice_id), "
    "officers AS MATERIALIZED (SELECT case_id, notice_id, status FROM delivery WHERE status IN ('queued', 'sending') "
    "AND audience = 1 AND next_attempt_at <= :now ORDER BY next_attempt_at LIMIT :officers FOR UPDATE SKIP LOCKED), "
    "reporters AS MATERIALIZED (SELECT case_id, notice_id, status FROM delivery WHERE status IN ('queued', 'sending') "
    "AND audience = 0 AND next_attempt_at <= :now ORDER BY next_attempt_at "
    "LIMIT (SELECT CASE WHEN :reporters THEN :total - count(*) ELSE 0 END FROM officers) FOR UPDATE SKIP LOCKED), "
    "due AS (SELECT * FROM officers UNION ALL SELECT * FROM reporters), "
    "taken AS (UPDATE delivery d SET status = 'sending', attempts = d.attempts + 1, "
    "repeats = d.repeats + (due.status = 'sending')::int, next_attempt_at = :lease_until FROM due "
    "WHERE d.case_id = due.case_id AND d.notice_id = due.notice_id RETURNING d.*) "
    "SELECT t.case_id, t.notice_id, t.kind, t.recipient, t.agency, CAST(t.variables AS text) AS variables, t.traceparent, t.occurred_at, "
    "t.attempts, t.repeats, t.created_at, f.reporter_ref, f.tracking_id, f.profile, "
    "a.name AS agency_name, a.email AS agency_email, a.time_zone AS agency_time_zone, s.email AS supervisor_email "
    "FROM taken t LEFT JOIN case_notice_state f ON f.case_id = t.case_id LEFT JOIN agency_contact a ON a.code = t.agency "
    "LEFT JOIN agency_contact s ON s.code = a.supervised_by ORDER BY t.notice_id"
)
_SETTLEMENTS = BulkColumns(
    Settlement,
    BulkColumn("case_id", "uuid", attrgetter("claimed.delivery.case_id"), fixed=True),
    BulkColumn("notice_id", "uuid", attrgetter("claimed.delivery.notice_id"), fixed=True),
    BulkColumn("lease_until", "timestamptz", attrgetter("claimed.lease_until"), fixed=True),
    BulkColumn("status", "text"),
    BulkColumn("attempts", "integer"),
    BulkColumn("repeats", "integer"),
    BulkColumn("next_attempt_at", "timestamptz"),
    BulkColumn("reason", "text"),
)
_FAULTY = BulkColumns(
    tuple[UUID, UUID, str],
    BulkColumn("case_id", "uuid"),
    BulkColumn("notice_id", "uuid"),
    BulkColumn("reason", "text"),
)
_FINISH = _SETTLEMENTS.statement(
    "UPDATE delivery d SET {changes}, "
    "settled_at = CASE WHEN x.status IN ('sent', 'failed', 'no_channel') THEN CAST(:ended_at AS timestamptz) END, "
    "set_aside_at = CASE WHEN x.status = 'set_aside' THEN now() END FROM {unnest} AS x ({names}) "
    "WHERE d.case_id = x.case_id AND d.notice_id = x.notice_id AND d.status = 'sending' AND d.next_attempt_at = x.lease_until "
    "RETURNING d.notice_id",
    changes_from="x",
)
_SET_ASIDE = _FAULTY.statement(
    "UPDATE delivery d SET status = 'set_aside', attempts = greatest(d.attempts - 1, 0), reason = x.reason, set_aside_at = now() "
    "FROM {unnest} AS x ({names}) "
    "WHERE d.case_id = x.case_id AND d.notice_id = x.notice_id AND d.status = 'sending' AND d.next_attempt_at = :lease_until"
)


class PostgresDeliveryQueue:
    """Implements `notifier.application.ports.DeliveryQueue`."""

    def __init__(self, database: Database, outbox: Outbox, metrics: MetricSet, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._metrics = metrics
        self._clock = clock

    async def claim(self, now: datetime, lease_until: datetime, *, officers: int, total: int, reporters: bool) -> Sequence[Claimed]:
        """Take what is due, in one statement and one transaction; what this code can't read is set aside in it."""
        claimed: list[Claimed] = []
        faulty: list[tuple[UUID, UUID, str]] = []
        async with self._database.begin() as connection:
            rows = await connection.execute(
                _CLAIM,
                {
                    "now": now,
                    "business_now": self._clock.now(),
                    "woken": _WOKEN_AT_ONCE,
                    "lease_until": lease_until,
                    "officers": officers,
                    "total": total,
                    "reporters": reporters,
                },
            )
            for row in rows:
                try:
                    claimed.append(_claimed(row, lease_until))
                except Exception as error:
                    faulty.append((row.case_id, row.notice_id, fault_of(error)))
            if faulty:
                await connection.execute(_SET_ASIDE, {**_FAULTY.arrays(faulty), "lease_until": lease_until})
        if faulty:
            count_set_aside(self._metrics, SET_ASIDE_KIND, len(faulty))
            for _, notice_id, reason in faulty[:10]:
                _log.error("notice_not_read", notice_id=str(notice_id), detail=reason)
        return claimed

    async def finish(
        self, settlements: Sequence[Settlement], ended_at: datetime, event_of: Callable[[Settlement], DeliveryEvent | None]
    ) -> Sequence[Settlement]:
        """Record outcomes in one statement, and write to the outbox in the same transaction."""
        async with self._database.begin() as connection:
            rows = await connection.execute(_FINISH, {**_SETTLEMENTS.arrays(settlements), "ended_at": ended_at})
            ours: set[UUID] = set(rows.scalars())
            kept = [s for s in settlements if s.claimed.delivery.notice_id in ours]
            events = [event for event in map(event_of, kept) if event is not None]
            await self._outbox.write(connection, [event.message for event in events], traceparents=[event.traceparent for event in events])
        self._outbox.written()
        return kept


def _claimed(row: "Row[tuple[object, ...]]", lease_until: datetime) -> Claimed:
    found = row._mapping
    return Claimed(
        delivery=Delivery(
            notice_id=found["notice_id"],
            case_id=found["case_id"],
            kind=NoticeKind(found["kind"]),
            recipient=Role(found["recipient"]),
            agency=found["agency"],
            variables=json.loads(found["variables"]),
            occurred_at=found["occurred_at"],
            traceparent=found["traceparent"],
        ),
        attempt=found["attempts"],
        repeats=found["repeats"],
        lease_until=lease_until,
        created_at=found["created_at"],
        reporter_ref=found["reporter_ref"],
        tracking_id=found["tracking_id"],
        profile=found["profile"],
        agency_name=found["agency_name"],
        agency_email=found["agency_email"],
        agency_time_zone=found["agency_time_zone"],
        supervisor_email=found["supervisor_email"],
    )
