"""A database that was put back to a backup is rebuilt from the topic, and says nothing new meanwhile."""

from dataclasses import dataclass, field

import pytest

from tests.unit.triage.builders import LATER, OFFICER, a_report, an_id, handlers, incoming, published, replied, returned, submitted
from triage.domain.case import Case
from triage.domain.verification import Archive, Verify
from tuntas_chassis.messaging.messages import Outcome
from tuntas_contracts.base import CaseEvent
from tuntas_contracts.cases import CaseForwarded, CaseReturned, ReportSubmitted
from tuntas_contracts.vocabulary import ArchiveReason


@dataclass
class Life:
    """One case as it went: the events on its topic, and what the database held after each."""

    events: list[CaseEvent] = field(default_factory=list)
    backups: list[Case | None] = field(default_factory=lambda: [None])

    @property
    def case(self) -> Case | None:
        """The case now."""
        return self.backups[-1]

    def happened(self, event: CaseEvent, case: Case | None) -> None:
        """An event was read or made, and the database held this case then."""
        self.events.append(event)
        self.backups.append(case)

    def made(self, outcome: Outcome[Case]) -> None:
        """Triage made an event."""
        [event] = published(outcome.outgoing)
        assert isinstance(event, CaseEvent)
        self.happened(event, outcome.state)


def a_life(how: str) -> Life:
    """A case that waited, and then was archived, had a reply refused, was forwarded, or came back as well."""
    made, life = handlers(), Life()
    life.happened(submitted(), None)
    life.made(made.apply(None, incoming(submitted())))
    case = life.case
    assert case is not None
    if how == "archived":
        life.made(made.archive(case, Archive(ArchiveReason.SPAM, "Iklan"), OFFICER, LATER, an_id("command")))
    elif how == "refused":
        life.made(made.apply(case, incoming(replied())))
    else:
        life.made(made.forward(case, a_report(), Verify("kota-bandung", title="Judul baru"), OFFICER, LATER, an_id("command")))
    if how == "returned":
        forwarded = made.apply(life.case, incoming(life.events[-1], source="triage")).state
        life.happened(returned(4), made.apply(forwarded, incoming(returned(4), source="dispatch")).state)
    return life


def replay(life: Life, backup: int) -> tuple[Case, list[CaseEvent]]:
    """The case after everything behind the backup was read again, and what triage said while it read."""
    # a later backup has read version 1 and, as it made the rest itself, no more than that
    return replay_behind(life.backups[backup], life, life.events[1:] if backup else life.events)


def replay_behind(case: Case | None, life: Life, events: list[CaseEvent] | None = None) -> tuple[Case, list[CaseEvent]]:
    """The same for a case as the database holds it, read from these events on, or from the first."""
    made, said = handlers(), list[CaseEvent]()
    for event in life.events if events is None else events:
        foreign = isinstance(event, ReportSubmitted | CaseReturned)
        outcome = made.apply(case, incoming(event, source="elsewhere" if foreign else "triage", replayed=not foreign))
        said += [body for body in published(outcome.outgoing) if isinstance(body, CaseEvent)]
        case = outcome.state or case
    assert case is not None
    return case, said


@pytest.mark.parametrize("how", ["archived", "refused", "forwarded", "returned"])
@pytest.mark.parametrize("backup", [0, 2, 3])
def test_the_case_is_as_it_was(how: str, backup: int) -> None:
    life = a_life(how)
    case, said = replay(life, backup)
    assert life.case is not None
    assert case == life.case.read_from_topic(case.topic_version, case.topic_owner)
    handed_over = [event.version for event in life.events if isinstance(event, CaseForwarded | CaseReturned)]
    assert case.topic_version >= max(handed_over, default=1)
    assert replay_behind(case, life) == (case, []), "read once more, it changes nothing at all"
    assert case.topic_owner is life.events[-1].owner
    assert all(event in life.events for event in said), "nothing is said that was not said before"


def test_a_command_carried_out_before_is_known_again() -> None:
    life = a_life("forwarded")
    outcome = handlers().apply(life.backups[2], incoming(life.events[-1], source="triage", replayed=True))
    assert outcome.handled == (an_id("command"),)
