"""The topics that the notifier reads."""

from notifier.adapters.store import AgencyContactStore, CaseStore, DeadlineStore, DeliveryWriter
from notifier.domain.agency_contact import AgencyContact
from notifier.domain.case_facts import CaseFacts
from notifier.handlers import on_agency, on_case_event, on_deadline
from tuntas_chassis.subscription import Subscription
from tuntas_contracts.topology import AGENCIES, CASES, SLA
from tuntas_contracts.vocabulary import Service


def cases(writer: DeliveryWriter) -> Subscription[CaseFacts]:
    """What happens to cases, for reporters."""
    return Subscription(
        name="cases",
        topics=(CASES.name,),
        types=CASES.readers[Service.NOTIFIER],
        store=CaseStore(writer),
        apply=on_case_event,
        after=("register",),
    )


def deadlines(writer: DeliveryWriter) -> Subscription[None]:
    """Warnings and missed deadlines, for officers and reporters."""
    return Subscription(
        name="sla",
        topics=(SLA.name,),
        types=SLA.readers[Service.NOTIFIER],
        store=DeadlineStore(writer),
        apply=on_deadline,
        fetch_wait_ms=500,
        after=("register",),
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
