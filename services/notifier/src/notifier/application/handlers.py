"""Messages in, deliveries out."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from notifier.domain.age import AgeLimit
from notifier.domain.agency_contact import AgencyContact, contact_after
from notifier.domain.case_facts import CaseFacts, facts_after
from notifier.domain.decisions import notice_of, notices_of_deadline
from notifier.domain.delivery import Delivery
from notifier.domain.notices import Notice
from notifier.metrics import TOO_OLD
from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import derive_id, time_of
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.notices import NoticeEvent
from tuntas_contracts.sla import DeadlineMissed, DeadlineWarning

T = TypeVar("T")
S = TypeVar("S")


def unless_too_old(
    apply: Callable[[S | None, Incoming], Outcome[S]], limit: AgeLimit, clock: Clock, metrics: MetricSet
) -> Callable[[S | None, Incoming], Outcome[S]]:
    """The same handler, but for events over the limit: it remembers what they say, and notifies nobody."""

    def applied(state: S | None, incoming: Incoming) -> Outcome[S]:
        outcome = apply(state, incoming)
        deliveries = [row for row in outcome.rows if isinstance(row, Delivery)]
        if not deliveries:
            return outcome
        began = datetime.fromtimestamp(time_of(deliveries[0].case_id), UTC)
        if not limit.is_too_old(clock.now(), case_began=began, occurred_at=incoming.envelope.time, appended_at=incoming.appended_at):
            return outcome
        for delivery in deliveries:
            metrics.inc(TOO_OLD, delivery.kind.value)
        return outcome._replace(rows=())

    return applied


def on_case_event(facts: CaseFacts | None, incoming: Incoming) -> Outcome[CaseFacts]:
    """Remember the case and notify the reporter; an event of a version that is known already changes nothing."""
    event = _expect(incoming, CaseEvent)
    if facts is not None and event.version <= facts.version:
        return Outcome(None)
    notice = notice_of(event)
    return Outcome(facts_after(facts, event), rows=[_delivery(notice, event.case_id, incoming)] if notice else ())


def on_deadline(_state: None, incoming: Incoming) -> Outcome[None]:
    """Tell everyone whom sla-monitor named."""
    event = incoming.body
    if not isinstance(event, DeadlineWarning | DeadlineMissed):
        raise TypeError(f"{type(event).__name__} is no warning and no missed deadline")
    return Outcome(None, rows=[_delivery(notice, event.case_id, incoming) for notice in notices_of_deadline(event)])


def on_own_notice(_state: None, incoming: Incoming) -> Outcome[None]:
    """An own event that came back: a database that was put back to a backup must not send again what was sent since."""
    return Outcome(None, rows=[_expect(incoming, NoticeEvent)])


def on_agency(known: AgencyContact | None, incoming: Incoming) -> Outcome[AgencyContact]:
    """Keep the agency's latest entry."""
    return Outcome(contact_after(known, _expect(incoming, AgencyRegistered)))


def _delivery(notice: Notice, case_id: UUID, incoming: Incoming) -> Delivery:
    envelope = incoming.envelope
    return Delivery(
        notice_id=derive_id(envelope.id, notice.kind.value, notice.recipient),
        case_id=case_id,
        kind=notice.kind,
        recipient=notice.recipient,
        agency=notice.agency,
        variables=notice.variables,
        occurred_at=envelope.time,
        traceparent=envelope.traceparent,
    )


def _expect(incoming: Incoming, kind: type[T]) -> T:
    if not isinstance(incoming.body, kind):
        raise TypeError(f"{type(incoming.body).__name__} came where {kind.__name__} was expected")
    return incoming.body
