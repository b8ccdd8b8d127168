"""Golden examples through what each service really does with them: nothing comes out that the topology does not know."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.built_services import subscriptions
from tests.architecture.sources import ROOT, SERVICES
from tuntas_chassis.messaging.messages import Incoming, Outgoing
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES, SLA, TOPICS, Topic
from tuntas_tools.contracts.examples import GoldenExample, read_examples

EXAMPLES = list(read_examples(ROOT / "contracts/examples"))
AN_AGENCY = "kemenkes"
MOST_STATES = 60


def _incoming(example: GoldenExample, subscription: Subscription[Any]) -> Incoming:
    envelope = example.envelope()
    topic = AGENCY_ACTIONS.for_agency(AN_AGENCY) if subscription.pattern else subscription.topics[0]
    return Incoming(envelope, example.key or "", example.body(), topic, 0, 0, appended_at=envelope.time)


def _outcomes(service: str) -> Iterator[Outgoing]:
    """What comes of every example in every state that examples lead to, two steps deep."""
    for subscription in subscriptions(service):
        taken = {kind.__name__ for kind in subscription.types}
        states: list[Any] = [None, *_reached_by_others(service, subscription)]
        for state in states:
            for example in EXAMPLES:
                if example.type not in taken:
                    continue
                with contextlib.suppress(Exception):  # not every example goes with every state; what raises publishes nothing
                    outcome = subscription.apply(state, _incoming(example, subscription))
                    yield from outcome.outgoing
                    if outcome.state is not None and outcome.state not in states and len(states) < MOST_STATES:
                        states.append(outcome.state)


def _reached_by_others(service: str, subscription: Subscription[Any]) -> list[Any]:
    """States in the same store that the service's other subscriptions lead to: commands need a case."""
    found: list[Any] = []
    for other in subscriptions(service):
        if other is not subscription and other.store is subscription.store:
            for example in EXAMPLES:
                with contextlib.suppress(Exception):
                    state = other.apply(None, _incoming(example, other)).state
                    found += [state] if state is not None else []
    return found


def _family(topic: str) -> Topic:
    return next(known for known in TOPICS if re.match(known.pattern, topic))


@pytest.mark.parametrize("service", SERVICES)
def test_every_outcome_of_a_message_is_in_the_topology(service: str) -> None:
    published = {(_family(outgoing.topic).name, type(outgoing.body).__name__) for outgoing in _outcomes(service)}
    allowed = {(t.name, m.__name__) for t in TOPICS for p in t.publications if p.producer == service for m in p.messages}
    assert published <= allowed
    assert published >= EXPECTED.get(service, set()), "the examples reach what this test is about"


EXPECTED = {
    "triage": {(CASES.name, "CaseReceived")},
    "dispatch": {(CASES.name, "CaseAnswered"), (AGENCY_CASES.name, "CaseAssigned"), (AGENCY_CASES.name, "CaseChanged")},
    "sla-monitor": {(SLA.name, "DeadlineSet")},
}
