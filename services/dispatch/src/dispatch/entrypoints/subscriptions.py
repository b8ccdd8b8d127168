"""What dispatch reads: the cases topic, the actions of every agency's own system, and its own register again."""

from collections.abc import Awaitable, Callable

from dispatch.application.handlers import Handlers
from dispatch.application.refusals import Refusals
from dispatch.domain.case import Case
from dispatch.domain.register_changes import StoredAgency, read_back
from dispatch.settings import Settings
from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_chassis.messaging.subscription import Store, Subscription
from tuntas_contracts.agencies import AgencyCommand, AgencyRegistered
from tuntas_contracts.base import Contract
from tuntas_contracts.cases import CaseReturned
from tuntas_contracts.topology import AGENCIES, AGENCY_ACTIONS, CASES, COMMANDS, INPUTS
from tuntas_contracts.vocabulary import Service

REGISTER_SUBSCRIPTION = "register"
CASES_SUBSCRIPTION = "cases"
ACTIONS_SUBSCRIPTION = "actions"
# hand-overs, and inputs that we repeated: triage may have transferred the case back before the repeat got onto the topic
TRACKED_OWN: tuple[type[Contract], ...] = (CaseReturned, *INPUTS)


def case_named_in(message: Incoming) -> str:
    """The case that a command is about: what its record key says is its writer's affair."""
    return str(message.body.case_id) if isinstance(message.body, AgencyCommand) else message.key


def register(store: Store[StoredAgency]) -> Subscription[StoredAgency]:
    """Dispatch's own register, of which a restored database has lost the last changes; nothing else is read of it."""

    def apply(stored: StoredAgency | None, message: Incoming) -> Outcome[StoredAgency]:
        if not isinstance(message.body, AgencyRegistered):
            raise TypeError(f"{type(message.body).__name__} is no entry of the register")
        return Outcome(read_back(stored, message.body))

    return Subscription(
        name=REGISTER_SUBSCRIPTION,
        topics=(AGENCIES.name,),
        types=AGENCIES.readers[Service.DISPATCH],
        store=store,
        apply=apply,
        fetch_wait_ms=2_000,
    )


def subscriptions(
    store: Store[Case], handlers: Handlers, refusals: Refusals, settings: Settings, load_register: Callable[[], Awaitable[object]]
) -> tuple[Subscription[Case], ...]:
    """Cases and commands. Commands wait until a restored database has caught up with the cases topic, and that waits for the register.

    `load_register` reads into memory what was read back of it, here or by another replica.
    """
    return (
        Subscription(
            name=CASES_SUBSCRIPTION,
            topics=(CASES.name,),
            types=CASES.readers[Service.DISPATCH],
            store=store,
            apply=handlers.on_case_message,
            after=(REGISTER_SUBSCRIPTION,),
            before_start=load_register,
            track_own=TRACKED_OWN,
            answers_inputs=True,
            delays_watermarks=True,
        ),
        Subscription(
            name=ACTIONS_SUBSCRIPTION,
            pattern=AGENCY_ACTIONS.pattern,
            types=COMMANDS,
            store=store,
            apply=handlers.on_action,
            refuse=refusals.of_record,
            writer_of=AGENCY_ACTIONS.agency_of,
            key_of=case_named_in,
            after=(CASES_SUBSCRIPTION,),
            gates_readiness=False,
            fetch_wait_ms=settings.actions_fetch_wait_ms,  # one request names every agency's topic
            fetch_min_bytes=settings.actions_fetch_min_bytes,
            rest_wait_ms=settings.actions_rest_wait_ms,
            delays_watermarks=True,
        ),
    )
