"""What triage reads from Kafka."""

from collections.abc import Awaitable, Callable

from triage.adapters.register import AgencyStore
from triage.application.handlers import Handlers
from triage.domain.case import Case
from triage.domain.register import Agency
from triage.metrics import count_outcome
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.messaging.subscription import Store, Subscription
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.cases import CaseClosed, CaseForwarded, CaseResumed
from tuntas_contracts.topology import AGENCIES, CASES, INPUTS
from tuntas_contracts.vocabulary import Service

REGISTER = "register"


def cases(handlers: Handlers, store: Store[Case], metrics: MetricSet, load_register: Callable[[], Awaitable[object]]) -> Subscription[Case]:
    """Every case's history. Begins once the register is read, so that no report is held for an agency not yet known here.

    `load_register` reads into memory what other replicas have read of it: its topic's only partition is perhaps never ours.
    """

    def apply(case: Case | None, incoming: Incoming) -> Outcome[Case]:
        outcome = handlers.apply(case, incoming)
        count_outcome(metrics, outcome, incoming)
        return outcome

    return Subscription(
        name="cases",
        topics=[CASES.name],
        types=CASES.readers[Service.TRIAGE],
        track_own=[CaseForwarded, *INPUTS],
        catching_up_only=[CaseResumed, CaseClosed],
        answers_inputs=True,
        store=store,
        apply=apply,
        after=[REGISTER],
        before_start=load_register,
        delays_watermarks=True,
    )


def register(handlers: Handlers, store: AgencyStore) -> Subscription[Agency]:
    """The register of agencies."""
    return Subscription(
        name=REGISTER,
        topics=[AGENCIES.name],
        types=AGENCIES.readers[Service.TRIAGE],
        store=store,
        apply=handlers.apply_agency,
        fetch_wait_ms=2_000,
    )
