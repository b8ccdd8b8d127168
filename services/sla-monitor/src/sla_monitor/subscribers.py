"""What the SLA monitor reads from Kafka."""

from sla_monitor.adapters.store import ClockStore
from sla_monitor.handlers import Handlers, State, state_key
from tuntas_chassis.subscription import Subscription
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service

CASES_SUBSCRIPTION = "cases"
CONSUMER = f"{Service.SLA_MONITOR}.{CASES_SUBSCRIPTION}"


def cases(handlers: Handlers, store: ClockStore) -> Subscription[State]:
    """Every case's history and, in the same order, the marks behind which its deadlines may be judged."""
    return Subscription(
        name=CASES_SUBSCRIPTION,
        topics=[CASES.name],
        types=CASES.readers[Service.SLA_MONITOR],
        store=store,
        apply=handlers.apply,
        key_of=state_key,
    )
