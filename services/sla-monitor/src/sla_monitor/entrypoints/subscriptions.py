"""What the SLA monitor reads from Kafka."""

from sla_monitor.application.handlers import Handlers
from sla_monitor.application.watermarks import advanced
from sla_monitor.domain.case_clocks import CaseClocks
from tuntas_chassis.messaging.subscription import Store, Subscription
from tuntas_contracts.topology import CASES, WATERMARKS
from tuntas_contracts.vocabulary import Service

CASES_SUBSCRIPTION = "cases"
WATERMARKS_SUBSCRIPTION = "watermarks"
CONSUMER = f"{Service.SLA_MONITOR}.{CASES_SUBSCRIPTION}"


def cases(handlers: Handlers, store: Store[CaseClocks]) -> Subscription[CaseClocks]:
    """Every case's history."""
    return Subscription(
        name=CASES_SUBSCRIPTION,
        topics=[CASES.name],
        types=CASES.readers[Service.SLA_MONITOR],
        store=store,
        apply=handlers.apply,
    )


def watermarks(store: Store[None]) -> Subscription[None]:
    """The watermarks behind which the deadlines of cases may be judged."""
    return Subscription(
        name=WATERMARKS_SUBSCRIPTION,
        topics=[WATERMARKS.name],
        types=WATERMARKS.readers[Service.SLA_MONITOR],
        store=store,
        apply=advanced,
        key_of=lambda incoming: incoming.envelope.source,
        gates_readiness=False,
        remembered=False,
    )
