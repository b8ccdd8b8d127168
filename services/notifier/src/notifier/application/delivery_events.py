"""What is published, counted and logged of a delivery's outcome."""

from datetime import datetime
from typing import Any

from opentelemetry.trace import SpanKind

from notifier.application.ports import DeliveryEvent, MailAttempt, SpanRecorder
from notifier.domain.delivery import ENDED, Claimed, Delivery, Settlement, Status
from notifier.domain.mail import message_id
from notifier.domain.notices import NoticeKind
from notifier.metrics import DEFERRED, DELAY, FAILED, NO_CHANNEL, REPEATS, SENT, TOO_OLD
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.set_aside_rows import count_set_aside
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.base import without_controls
from tuntas_contracts.notices import NoticeEvent, NoticeFailed, NoticeNotSent, NoticeSent
from tuntas_contracts.topology import NOTICES
from tuntas_contracts.vocabulary import Role

_log = logger(__name__)
SET_ASIDE_KIND = "notice"


def event_of(settlement: Settlement, attempt: MailAttempt, occurred_at: datetime, domain: str, spans: SpanRecorder) -> DeliveryEvent | None:
    """NoticeSent, NoticeFailed or NoticeNotSent, in the trace of the event that caused the notice; None while its end is open.

    Its id follows from the notice's: written twice, it is one event.
    """
    if settlement.status not in ENDED:
        return None
    delivery = settlement.claimed.delivery
    traceparent = delivery.traceparent
    if attempt.started_ns:
        traceparent = spans.child(
            f"send {delivery.kind.value}",
            SpanKind.CLIENT,
            traceparent,
            attempt.started_ns,
            attempt.ended_ns,
            case_id=str(delivery.case_id),
            notice_id=str(delivery.notice_id),
            outcome=settlement.status.value,
        )
    body: NoticeSent | NoticeFailed | NoticeNotSent
    notice = _notice(delivery, occurred_at, domain)
    reason = without_controls((settlement.reason or "unknown")[:200])  # it may repeat what a mail server said
    match settlement.status:
        case Status.SENT:
            body = NoticeSent(**notice, attempt=settlement.attempts, possible_repeat=settlement.repeats > 0)
        case Status.NO_CHANNEL:
            body = NoticeNotSent(**notice, reason=reason)
        case _:
            body = NoticeFailed(**notice, reason=reason)
    event_id = derive_id(delivery.notice_id, type(body).__name__)
    return DeliveryEvent(Outgoing(NOTICES.name, str(delivery.case_id), body, occurred_at, event_id), traceparent)


def check_event(claimed: Claimed, domain: str) -> None:
    """Raises ValueError where no event could be made of the delivery: found before a mail goes out that nobody could record."""
    NoticeEvent.model_validate(_notice(claimed.delivery, claimed.created_at, domain))


def _notice(delivery: Delivery, occurred_at: datetime, domain: str) -> dict[str, Any]:
    return {
        "notice_id": delivery.notice_id,
        "case_id": delivery.case_id,
        "kind": delivery.kind.value,
        "recipient": delivery.recipient,
        "agency": delivery.agency,
        "message_id": message_id(delivery.notice_id, domain),
        "occurred_at": occurred_at,
    }


def count_from_zero(metrics: MetricSet) -> None:
    """Show every kind of notice as neither sent nor failed yet: a counter that begins with its first failure hides that one."""
    for kind in NoticeKind:
        for name in (SENT, FAILED, NO_CHANNEL, DEFERRED, TOO_OLD):
            metrics.inc(name, kind.value, by=0)


def count(settlement: Settlement, now: datetime, metrics: MetricSet) -> None:
    """Count and log it; `now` is real time."""
    delivery = settlement.claimed.delivery
    kind = delivery.kind.value
    facts = {"notice_id": str(delivery.notice_id), "case_id": str(delivery.case_id), "kind": kind}
    match settlement.status:
        case Status.SENT:
            metrics.inc(SENT, kind)
            waited = (now - settlement.claimed.created_at).total_seconds()
            metrics.observe(DELAY, max(0.0, waited), "reporters" if delivery.recipient is Role.REPORTER else "officers")
            if settlement.repeats:
                metrics.inc(REPEATS, kind)
                _log.warning("notice_possibly_repeated", **facts)
        case Status.FAILED:
            metrics.inc(FAILED, kind)
            _log.info("notice_failed", **facts, reason=settlement.reason)
        case Status.NO_CHANNEL:
            metrics.inc(NO_CHANNEL, kind)
        case Status.SET_ASIDE:
            count_set_aside(metrics, SET_ASIDE_KIND, 1)
        case _ if settlement.attempts == settlement.claimed.attempt:
            metrics.inc(DEFERRED, kind)
            _log.info("notice_deferred", **facts, attempt=settlement.attempts, reason=settlement.reason)
