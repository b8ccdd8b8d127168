"""However late events are read and whenever the loop looks: what is announced depends on business time alone, each thing once."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sla_monitor.domain.case_clocks import RunOutcome
from tests.unit.sla_monitor.builders import FAST_TRACK, Event, History, wib
from tests.unit.sla_monitor.fake_monitor import FakeMonitor, watermarks
from tuntas_contracts.base import Contract
from tuntas_contracts.cases import WindowElapsed
from tuntas_contracts.sla import DeadlineMissed
from tuntas_contracts.vocabulary import CaseState
from tuntas_contracts.watermarks import WatermarkAdvanced

STEPS = st.one_of(st.timedeltas(timedelta(seconds=1), timedelta(hours=5)), st.timedeltas(timedelta(days=1), timedelta(days=40)))
S = CaseState


def deadlines(monitor: FakeMonitor) -> dict[UUID | None, Contract]:
    """What was announced but the ends of windows, by id."""
    return {m.id: m.body for m in monitor.announced if not isinstance(m.body, WindowElapsed)}


def windows(monitor: FakeMonitor) -> set[UUID | None]:
    """The ends of windows that were announced."""
    return {m.id for m in monitor.announced if isinstance(m.body, WindowElapsed)}


class LaggingMonitor(RuleBasedStateMachine):
    """One case lives on the topic; `eager` reads and fires at once, `lazy` when it likes, each topic in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = wib("2025-02-03 10:00")
        self.history = History(time_zone="Asia/Makassar")
        self.state: CaseState | None = None
        self.undecided: list[UUID] = []
        self.topic: list[Event] = []
        self.eager, self.lazy = FakeMonitor(), FakeMonitor()
        self.lazy_offset = 0
        self.watermarks: list[WatermarkAdvanced] = []
        self.lazy_watermarks = 0

    def publish(self, event: Event, state: CaseState | None = None) -> None:
        self.state = state or self.state
        self.eager.read(event)
        self.topic.append(event)

    @rule(step=STEPS)
    def time_passes_and_watermarks_advance(self, step: timedelta) -> None:
        self.now += step
        for watermark in watermarks(self.now, end_offset=len(self.topic)):
            self.watermarks.append(watermark)
            self.eager.read(watermark)
        self.eager.fire(self.now)

    @rule(step=st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
    def time_passes(self, step: timedelta) -> None:
        self.now += step
        self.eager.fire(self.now)

    @rule(records=st.integers(1, 12))
    def lazy_reads(self, records: int) -> None:
        for body in self.topic[self.lazy_offset : self.lazy_offset + records]:
            self.lazy.read(body)
            self.lazy_offset += 1

    @rule(messages=st.integers(1, 12))
    def lazy_reads_watermarks(self, messages: int) -> None:
        """From a topic of their own: before the events that they tell of, or long after."""
        for body in self.watermarks[self.lazy_watermarks : self.lazy_watermarks + messages]:
            self.lazy.read(body)
            self.lazy_watermarks += 1

    @rule()
    def lazy_fires(self) -> None:
        self.lazy.fire(self.now)

    @precondition(lambda self: self.state is None)
    @rule()
    def to_the_centre(self) -> None:
        self.publish(self.history.received(self.now), S.RECEIVED)

    @precondition(lambda self: self.state in (None, S.RECEIVED))
    @rule(fast=st.booleans())
    def to_an_agency(self, fast: bool) -> None:
        fast = fast and self.state is None
        self.publish(self.history.forwarded(self.now, FAST_TRACK if fast else None), S.DISPATCHED if fast else S.AT_AGENCY)

    @precondition(lambda self: self.state is S.AT_AGENCY)
    @rule(itself=st.booleans())
    def taken_on(self, itself: bool) -> None:
        event = self.history.handling_started(self.now) if itself else self.history.accepted(self.now)
        self.publish(event, S.IN_PROGRESS if itself else S.DISPATCHED)

    @precondition(lambda self: self.state is S.AT_AGENCY and self.history.bounces < 2)
    @rule()
    def given_back(self) -> None:
        self.publish(self.history.returned(self.now), S.RECEIVED)

    @precondition(lambda self: self.state is S.DISPATCHED)
    @rule()
    def followed_up(self) -> None:
        self.publish(self.history.followed_up(self.now), S.IN_PROGRESS)

    @precondition(lambda self: self.state in (S.DISPATCHED, S.IN_PROGRESS, S.RESPONDED))
    @rule()
    def answered(self) -> None:
        self.publish(self.history.answered(self.now, supplement=self.state is S.RESPONDED), S.RESPONDED)

    @precondition(lambda self: self.state is not None)
    @rule()
    def reporter_replies(self) -> None:
        reply = self.history.replied(self.now)
        self.undecided.append(reply.input_id)
        self.publish(reply)

    @precondition(lambda self: self.undecided)
    @rule(resume=st.booleans())
    def owner_decides(self, resume: bool) -> None:
        input_id = self.undecided.pop(0)
        if resume and self.state is S.RESPONDED:
            self.publish(self.history.resumed(self.now, input_id), S.IN_PROGRESS)
        else:
            self.publish(self.history.refused(self.now, input_id))

    @precondition(lambda self: self.state in (S.RECEIVED, S.RESPONDED))
    @rule()
    def ended(self) -> None:
        if self.state is S.RECEIVED:
            self.publish(self.history.archived(self.now), S.ARCHIVED)
        else:
            self.publish(self.history.closed(self.now), S.CLOSED)

    @invariant()
    def nothing_is_announced_twice(self) -> None:
        for monitor in (self.eager, self.lazy):
            ids = [message.id for message in monitor.announced]
            assert len(set(ids)) == len(ids)

    @invariant()
    def who_was_in_time_is_never_said_to_be_late(self) -> None:
        for monitor in (self.eager, self.lazy):
            in_time = {key for key, outcome in monitor.outcomes.items() if outcome in (RunOutcome.MET, RunOutcome.STOPPED)}
            for message in monitor.announced:
                if isinstance(message.body, DeadlineMissed):
                    assert (message.body.case_id, message.body.clock, message.body.deadline_version) not in in_time

    def teardown(self) -> None:
        self.time_passes_and_watermarks_advance(timedelta(days=1))
        self.lazy_reads(len(self.topic))
        self.lazy_reads_watermarks(len(self.watermarks))
        self.lazy_fires()
        assert deadlines(self.lazy) == deadlines(self.eager)
        # the end of a window that its owner has decided on meanwhile is moot
        assert windows(self.lazy) <= windows(self.eager)
        assert self.lazy.outcomes == self.eager.outcomes
        assert self.lazy.states.keys() == self.eager.states.keys()
        missed = {key for key, outcome in self.lazy.outcomes.items() if outcome in (RunOutcome.MISSED, RunOutcome.MET_LATE)}
        bodies = [m.body for m in self.lazy.announced if isinstance(m.body, DeadlineMissed)]
        assert {(b.case_id, b.clock, b.deadline_version) for b in bodies} == missed


TestLag = LaggingMonitor.TestCase
TestLag.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
