"""The ledger names every way in which topics and databases can disagree about a case, and nothing where they agree."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from tuntas_chassis.ids import new_id, time_of
from tuntas_operations.reconciliation.ledger import KINDS, Delivery, Holding, Ledger, TopicEvent

NOW_S = 1_800_000_000.0
AGENCY = "kota-32-73"
CASE = new_id()


@dataclass
class Story:
    """A case that was verified by triage, forwarded, and is its agency's: what topics and databases say of it."""

    events: list[TopicEvent] = field(
        default_factory=lambda: [
            TopicEvent(CASE, new_id(), "ReportSubmitted", 1, "triage", None, NOW_S - 300),
            TopicEvent(CASE, new_id(), "CaseForwarded", 2, "dispatch", AGENCY, NOW_S - 200),
            TopicEvent(CASE, new_id(), "CaseAccepted", 3, "dispatch", AGENCY, NOW_S - 100),
        ]
    )
    deliveries: list[Delivery] = field(default_factory=lambda: [Delivery(CASE, new_id(), 2, AGENCY)])
    accepted: dict[UUID, float] = field(default_factory=lambda: {CASE: NOW_S - 301})
    triage: dict[UUID, Holding] = field(default_factory=lambda: {CASE: Holding(2, "at_agency", "dispatch")})
    dispatch: dict[UUID, Holding] = field(default_factory=lambda: {CASE: Holding(3, "dispatched", "dispatch")})

    def found(self, since_s: float = 0.0, in_flight_s: float = 60.0) -> set[str]:
        """The kinds of differences."""
        ledger = Ledger(since_s)
        for event in self.events:
            ledger.note_event(event)
        for delivery in self.deliveries:
            ledger.note_delivery(delivery)
        if not ledger.concerns(CASE):
            self.accepted, self.triage, self.dispatch = {}, {}, {}
        differences = ledger.differences(self.accepted, self.triage, self.dispatch, NOW_S, in_flight_s=in_flight_s)
        assert all(d.case_id == CASE for d in differences)
        return {d.kind for d in differences}


def lose_topics(story: Story) -> None:
    story.events.clear()
    story.deliveries.clear()


def deliver_to_another(story: Story) -> None:
    story.deliveries = [replace(story.deliveries[0], agency="kab-32-01")]


FAULTS: dict[str, Callable[[Story], object]] = {
    "accepted_not_published owned_not_published": lose_topics,
    "delivered_not_forwarded": lambda s: s.deliveries.append(Delivery(CASE, new_id(), 3, AGENCY)),
    "delivered_to_another": deliver_to_another,
    "delivered_twice": lambda s: s.deliveries.append(replace(s.deliveries[0], message_id=new_id())),
    "no_owner": lambda s: s.dispatch.clear(),
    "not_delivered": lambda s: s.deliveries.clear(),
    "owner_differs": lambda s: s.events.append(TopicEvent(CASE, new_id(), "CaseReturned", 4, "triage", None, NOW_S - 90)),
    "published_not_accepted": lambda s: s.accepted.clear(),
    "two_events_of_one_version": lambda s: s.events.append(replace(s.events[2], message_id=new_id())),
    "two_owners": lambda s: s.triage.update({CASE: Holding(2, "received", "triage")}),
    "version_differs": lambda s: s.dispatch.update({CASE: Holding(4, "in_progress", "dispatch")}),
    "version_out_of_order": lambda s: s.events.pop(0),
}


def test_every_kind_is_shown_below() -> None:
    assert {kind for kinds in FAULTS for kind in kinds.split()} == set(KINDS)


def test_a_sound_case_and_a_repeated_message_are_no_difference() -> None:
    story = Story()
    assert story.found() == set()
    story.events.append(story.events[0])
    story.deliveries.append(story.deliveries[0])
    assert story.found() == set()


@pytest.mark.parametrize("kinds", FAULTS)
def test_each_fault_is_found_and_no_other(kinds: str) -> None:
    story = Story()
    FAULTS[kinds](story)
    assert set(kinds.split()) <= story.found()
    assert story.found() - set(kinds.split()) <= {"version_differs"}, "an event on the topic alone also puts the versions apart"


@pytest.mark.parametrize("kind", ["no_owner", "not_delivered", "version_differs"])
def test_a_message_under_way_is_no_difference_yet(kind: str) -> None:
    story = Story()
    FAULTS[kind](story)
    assert kind in story.found()
    assert story.found(in_flight_s=101) == set()


@pytest.mark.parametrize(("after_s", "named"), [(0, True), (1, False)])
def test_cases_accepted_before_the_given_time_are_skipped(after_s: float, named: bool) -> None:
    story = Story()
    lose_topics(story)
    assert bool(story.found(since_s=time_of(CASE) + after_s)) is named
