"""What intake reads from Kafka: the cases topic, for what reporters see of their reports."""

from intake.adapters.store import HistoryStore
from intake.application.handlers import follow
from intake.domain.history import HistoryEntry
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service


def status() -> Subscription[HistoryEntry]:
    """Every event of the owners of cases. A line of the history that comes again is passed over by its primary key, not by the inbox."""
    return Subscription(
        name="status",
        topics=[CASES.name],
        types=CASES.readers[Service.INTAKE],
        store=HistoryStore(),
        apply=follow,
        gates_readiness=False,
        remembered=False,
    )
