"""Who writes and reads which topic, and who reaches a service otherwise: what both diagrams draw."""

from collections.abc import Sequence
from dataclasses import dataclass

from tuntas_contracts.topology import AGENCY, TOPICS, Topic
from tuntas_contracts.vocabulary import Service


@dataclass(frozen=True, slots=True)
class Party:
    """A column of the diagram: a service, or the agencies' own systems."""

    id: str
    title: str
    about: str
    people: str
    by: str


# The people are not in the topology: they use HTTP and receive mail.
PARTIES: tuple[Party, ...] = (
    Party(Service.INTAKE, "intake", "takes reports in", "Reporters", "HTTP"),
    Party(Service.TRIAGE, "triage", "verifies and routes", "National administrators", "HTTP"),
    Party(Service.DISPATCH, "dispatch", "works with agencies", "Agencies' officers", "HTTP"),
    Party(Service.SLA_MONITOR, "sla-monitor", "watches the clocks", "The public", "figures, HTTP"),
    Party(Service.NOTIFIER, "notifier", "notifies people", "Reporters and officers", "mail"),
    Party(AGENCY, "agency systems", "one per agency", "Agencies", "Kafka, SCRAM"),
)
SENDING = frozenset({Service.NOTIFIER})  # here the arrow runs from the service to the people


@dataclass(frozen=True, slots=True)
class Touch:
    """What one party writes to a topic and acts upon there, as type names."""

    party: Party
    topic: Topic
    writes: Sequence[str]
    reads: Sequence[str]


def touches() -> list[Touch]:
    """Every meeting of a party with a topic, topic by topic."""
    found = []
    for topic in TOPICS:
        for party in PARTIES:
            writes = [kind.__name__ for p in topic.publications if p.producer == party.id for kind in p.messages]
            reads = [kind.__name__ for kind in topic.readers.get(party.id, ())]
            if writes or reads:
                found.append(Touch(party, topic, writes, reads))
    return found
