"""Sending one batch: take, look contacts up, write, pass to the relay, record."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from notifier.application.compose import Composer
from notifier.application.delivery_events import count, event_of
from notifier.application.ports import (
    Contact,
    ContactDirectory,
    ContactRequest,
    ContactsUnavailable,
    DeliveryEvent,
    DeliveryQueue,
    MailAttempt,
    Mailer,
    SpanRecorder,
)
from notifier.domain.delivery import MAX_REPEATS, Claimed, NotTried, Postponed, Settlement, Status, outcome_of
from notifier.domain.mail import Mail
from notifier.domain.notices import NoticeKind
from notifier.metrics import LOOKUPS_FAILED, LOST
from tuntas_chassis.clock import Clock
from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.set_aside_rows import fault_of
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_chassis.waiting import set_within
from tuntas_contracts.vocabulary import Role

_log = logger(__name__)
_SENDING_SHARE = 0.5  # of the lease: the rest is for the last mail begun, and for recording
_RETRY_RECORDING_S = 0.5


@dataclass(frozen=True, slots=True)
class Pass:
    """What one batch came to: how many were taken, and why the next must wait, if it must."""

    taken: int = 0
    contacts_down: str | None = None
    relay_down: str | None = None


class Sender:
    """Sends what is due, a batch at a time. `wall` is real time: leases and backoff are no business of the simulated clock."""

    def __init__(
        self,
        queue: DeliveryQueue,
        contacts: ContactDirectory,
        composer: Composer,
        mailer: Mailer,
        spans: SpanRecorder,
        clock: Clock,
        wall: Callable[[], datetime],
        metrics: MetricSet,
        *,
        domain: str,
        lease: timedelta,
    ) -> None:
        self._queue = queue
        self._contacts = contacts
        self._composer = composer
        self._mailer = mailer
        self._spans = spans
        self._clock = clock
        self._wall = wall
        self._metrics = metrics
        self._domain = domain
        self._lease = lease

    async def send_due(self, limit: int, stopping: asyncio.Event, *, reporters: bool = True) -> Pass:
        """Send at most `limit` deliveries that are due; none to reporters unless `reporters`. Raises what the database raises."""
        now = self._wall()
        # officers first, but never at the cost of all others
        officers = max(1, limit // 2) if reporters else limit
        claimed = await self._queue.claim(now, now + self._lease, officers=officers, total=limit, reporters=reporters)
        if not claimed:
            return Pass()
        attempts: dict[UUID, MailAttempt] = {}
        ready: list[Claimed] = []
        for one in claimed:
            if (postponed := self._composer.postponed(one)) is not None:
                attempts[one.delivery.notice_id] = MailAttempt(postponed, 0, 0)
            else:
                ready.append(one)
        contacts, contacts_down = await self._look_up(ready)
        mails: list[Mail] = []
        for one in ready:
            made = self._composer.mail(one, contacts)
            if isinstance(made, Mail):
                mails.append(made)
            else:
                attempts[one.delivery.notice_id] = MailAttempt(made, 0, 0)
        relay_down = None
        if mails:
            handover = await self._mailer.send(mails, self._lease.total_seconds() * _SENDING_SHARE, stopping)
            relay_down = handover.relay_down
            attempts |= {mail.notice_id: result for mail, result in zip(mails, handover.attempts, strict=True)}
        await self._record(claimed, attempts, stopping)
        return Pass(len(claimed), contacts_down, relay_down)

    async def _look_up(self, claimed: Sequence[Claimed]) -> tuple[Mapping[UUID, Contact] | None, str | None]:
        wanted = {
            one.reporter_ref: ContactRequest(
                one.reporter_ref,
                one.delivery.case_id,
                f"notice:{one.delivery.kind.value}",
                access_code=one.delivery.kind is NoticeKind.RECEIPT,
            )
            for one in sorted(claimed, key=lambda one: one.delivery.kind is NoticeKind.RECEIPT)  # the receipt may need an access code
            if one.delivery.recipient is Role.REPORTER and one.reporter_ref is not None and one.repeats <= MAX_REPEATS
        }
        if not wanted:
            return {}, None
        try:
            return await self._contacts.look_up(list(wanted.values())), None
        except ContactsUnavailable as error:
            self._metrics.inc(LOOKUPS_FAILED)
            return None, str(error)

    async def _record(self, claimed: Sequence[Claimed], attempts: Mapping[UUID, MailAttempt], stopping: asyncio.Event) -> None:
        now, occurred_at = self._wall(), self._clock.now()
        settlements = [outcome_of(one, attempts[one.delivery.notice_id].result, now) for one in claimed]
        events = {s.claimed.delivery.notice_id: self._event(s, attempts[s.claimed.delivery.notice_id], occurred_at) for s in settlements}
        while True:
            try:
                kept = await self._finish(settlements, events, occurred_at)
                break
            except Exception as error:
                # what was sent and is not recorded would be sent again, so the database is waited for
                tried = any(not isinstance(attempt.result, NotTried | Postponed) for attempt in attempts.values())
                if not tried or not is_transient(error) or stopping.is_set():
                    raise
                _log.warning("recording_waits_for_database", deliveries=len(settlements), error=type(error).__name__)
            await set_within(stopping, _RETRY_RECORDING_S)
        for settlement in kept:
            count(settlement, now, self._metrics)
        if lost := len(settlements) - len(kept):
            self._metrics.inc(LOST, by=lost)
            _log.warning("leases_lost", deliveries=lost)

    def _event(self, settlement: Settlement, attempt: MailAttempt, occurred_at: datetime) -> DeliveryEvent | None:
        try:
            return event_of(settlement, attempt, occurred_at, self._domain, self._spans)
        except Exception as error:  # what happened to the mail is recorded all the same, and of the others too
            _log.error("notice_event_not_made", notice_id=str(settlement.claimed.delivery.notice_id), detail=fault_of(error))
            return None

    async def _finish(
        self, settlements: Sequence[Settlement], events: Mapping[UUID, DeliveryEvent | None], occurred_at: datetime
    ) -> Sequence[Settlement]:
        """All at once; where the database refuses one of them for good, one by one, and that one without its event.

        Raises what the database raises while it is away.
        """
        try:
            return await self._queue.finish(settlements, occurred_at, lambda s: events[s.claimed.delivery.notice_id])
        except Exception as error:
            if is_transient(error):
                raise
            _log.error("recording_one_by_one", deliveries=len(settlements), detail=fault_of(error))
        kept: list[Settlement] = []
        for settlement in settlements:
            try:
                kept += await self._queue.finish([settlement], occurred_at, lambda s: events[s.claimed.delivery.notice_id])
            except Exception as error:
                if is_transient(error):
                    raise
                kept += await self._queue.finish([_without_event(settlement, error)], occurred_at, lambda _: None)
        return kept


def _without_event(settlement: Settlement, error: Exception) -> Settlement:
    """What was sent stays sent; the rest waits for code that can handle it."""
    fault = fault_of(error)
    _log.error("notice_not_recorded", notice_id=str(settlement.claimed.delivery.notice_id), detail=fault)
    status = settlement.status if settlement.status is Status.SENT else Status.SET_ASIDE
    return replace(settlement, status=status, reason=fault)
