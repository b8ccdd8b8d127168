"""The topics that the notifier reads."""

from notifier.adapters.store import AgencyContactStore, CaseStore, DeadlineStore, DeliveryWriter, OwnNoticeStore
from notifier.application.handlers import on_agency, on_case_event, on_deadline, on_own_notice, unless_too_old
from notifier.domain.age import AgeLimit
from notifier.domain.agency_contact import AgencyContact
from notifier.domain.case_facts import CaseFacts
from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.topology import AGENCIES, CASES, NOTICES, SLA
from tuntas_contracts.vocabulary import Service


def cases(writer: DeliveryWriter, limit: AgeLimit, clock: Clock, metrics: MetricSet) -> Subscription[CaseFacts]:
    """What happens to cases, for reporters."""
    return Subscription(
        name="cases",
        topics=(CASES.name,),
        types=CASES.readers[Service.NOTIFIER],
        store=CaseStore(writer),
        apply=unless_too_old(on_case_event, limit, clock, metrics),
        after=("register", "notices"),
    )


def deadlines(writer: DeliveryWriter, limit: AgeLimit, clock: Clock, metrics: MetricSet) -> Subscription[None]:
    """Warnings and missed deadlines, for officers and reporters."""
    return Subscription(
        name="sla",
        topics=(SLA.name,),
        types=SLA.readers[Service.NOTIFIER],
        store=DeadlineStore(writer),
        apply=unless_too_old(on_deadline, limit, clock, metrics),
        fetch_wait_ms=500,
        after=("register", "notices"),
    )


def own_notices() -> Subscription[None]:
    """What the notifier has sent: its own events, of which it needs only those that its database has lost."""
    return Subscription(
        name="notices",
        topics=(NOTICES.name,),
        types=NOTICES.readers[Service.NOTIFIER],
        store=OwnNoticeStore(),
        apply=on_own_notice,
        fetch_wait_ms=2_000,
        fetch_min_bytes=65_536,
    )


def register() -> Subscription[AgencyContact]:
    """The agency register, which names agencies and their mailboxes."""
    return Subscription(
        name="register",
        topics=(AGENCIES.name,),
        types=AGENCIES.readers[Service.NOTIFIER],
        store=AgencyContactStore(),
        apply=on_agency,
        fetch_wait_ms=2_000,
    )
