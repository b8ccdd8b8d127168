"""Whatever officers, reporters, time and races do: the history stays whole."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.dispatch.builders import BEKASI, BOGOR, NOON, an_act, forwarded
from tests.unit.dispatch.delivery import Delivery
from tuntas_chassis.ids import derive_id
from tuntas_contracts.agencies import (
    AcceptCase,
    ActionRefused,
    AgencyCommand,
    AnswerCase,
    CaseAssigned,
    CaseChanged,
    HandleCase,
    RecordFollowUp,
    ReturnCase,
)
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.cases import (
    CaseAnswered,
    CaseClosed,
    CaseForwarded,
    CaseReturned,
    InputRefused,
    ReporterConfirmed,
    ReporterReplied,
    WindowElapsed,
)
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.topology import AGENCY_CASES
from tuntas_contracts.vocabulary import CaseState, Clock, Role, Service, Transition

S, T = CaseState, Transition
# the domain's table, written out a second time
TABLE: dict[Transition, tuple[set[CaseState | None], CaseState]] = {
    T.T2: ({None}, S.AT_AGENCY),
    T.T21: ({None}, S.DISPATCHED),
    T.T3: ({S.RECEIVED}, S.AT_AGENCY),
    T.T4: ({S.AT_AGENCY}, S.DISPATCHED),
    T.T5: ({S.AT_AGENCY}, S.IN_PROGRESS),
    T.T10: ({S.AT_AGENCY}, S.RECEIVED),
    T.T14: ({S.DISPATCHED}, S.IN_PROGRESS),
    T.T15: ({S.DISPATCHED, S.IN_PROGRESS, S.RESPONDED}, S.RESPONDED),
    T.T16: ({S.RESPONDED, S.CLOSED}, S.IN_PROGRESS),
    T.T17: ({S.RESPONDED}, S.CLOSED),
    T.T18: ({S.RESPONDED}, S.CLOSED),
}
CASE_ID = UUID(int=1)
COMMANDS: tuple[AgencyCommand, ...] = (
    AcceptCase(case_id=CASE_ID, unit="layanan"),
    AcceptCase(case_id=CASE_ID, unit="no-such-unit"),
    HandleCase(case_id=CASE_ID, unit="dinas-pu", supervision_content=True, field_inspection=True),
    ReturnCase(case_id=CASE_ID, reason="bukan wewenang"),
    RecordFollowUp(case_id=CASE_ID, note="ke lokasi"),
    AnswerCase(case_id=CASE_ID, answer="sudah"),
)


class Dispatch(RuleBasedStateMachine):
    """Triage, agencies, reporters and time around one case; dispatch reads the topic late or at once."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Delivery()
        self.minutes = 0
        self.sent: list[tuple[AgencyCommand, str, UUID]] = []

    def now(self) -> int:
        self.minutes += 7
        return self.minutes

    @initialize(fast=st.booleans())
    def arrives(self, fast: bool) -> None:
        self.world.append(forwarded(CASE_ID, by=T.T21 if fast else T.T2), Service.TRIAGE)

    @rule(count=st.integers(1, 4))
    def dispatch_reads(self, count: int) -> None:
        for _ in range(count):
            self.world.read_next()

    @rule(command=st.sampled_from(COMMANDS), agency=st.sampled_from([BOGOR, BEKASI]))
    def agency_system_commands(self, command: AgencyCommand, agency: str) -> None:
        before, sent = self.world.case, len(self.world.agencies)
        message_id = uuid4()
        self.sent.append((command, agency, message_id))
        self.world.command(command, agency, NOON + timedelta(minutes=self.now()), message_id)
        answer = self.world.agencies[sent:]
        assert len(answer) == 1, "a command is answered, by its effect or by a refusal"
        assert answer[0].topic == AGENCY_CASES.for_agency(agency)
        if isinstance(answer[0].body, ActionRefused):
            assert self.world.case == before
        if before is None or before.agency != agency:
            assert isinstance(answer[0].body, ActionRefused)
            assert answer[0].body.code == "unknown_case"

    @precondition(lambda self: self.world.case is not None)
    @rule(command=st.sampled_from(COMMANDS))
    def officer_commands(self, command: AgencyCommand) -> None:
        assert self.world.case is not None
        before = self.world.case
        try:
            self.world.http(command, an_act(self.now(), before.agency))
        except Refusal:
            assert self.world.case == before

    @precondition(lambda self: self.world.case is not None)
    @rule(count=st.integers(1, 6))
    def agency_answers_again_and_again(self, count: int) -> None:
        assert self.world.case is not None
        for _ in range(count):
            self.agency_system_commands(AnswerCase(case_id=CASE_ID, answer="sudah"), self.world.case.agency)

    @rule(back=st.integers(0, 2_000))
    def reporter_replies(self, back: int) -> None:
        at = NOON + timedelta(minutes=max(0, self.now() - back))
        self.world.append(ReporterReplied(case_id=CASE_ID, input_id=uuid4(), occurred_at=at, text="belum"), Service.INTAKE)

    @rule()
    def reporter_confirms(self) -> None:
        at = NOON + timedelta(minutes=self.now())
        self.world.append(ReporterConfirmed(case_id=CASE_ID, input_id=uuid4(), occurred_at=at, rating=5), Service.INTAKE)

    @rule(version=st.integers(1, 3), clock=st.sampled_from([Clock.C6, Clock.C3]))
    def window_elapses(self, version: int, clock: Clock) -> None:
        at = NOON + timedelta(minutes=self.now())
        self.world.append(
            WindowElapsed(case_id=CASE_ID, input_id=uuid4(), occurred_at=at, clock=clock, deadline_version=version, due_at=at),
            Service.SLA_MONITOR,
        )

    @precondition(lambda self: isinstance(self.owner_events()[-1], CaseReturned))
    @rule(agency=st.sampled_from([BOGOR, BEKASI]))
    def triage_routes_again(self, agency: str) -> None:
        last = self.owner_events()[-1]
        assert isinstance(last, CaseReturned)
        self.triage_refuses_what_lies_with_it()
        again = forwarded(
            CASE_ID,
            version=self.owner_events()[-1].version + 1,
            agency=agency,
            at=NOON + timedelta(minutes=self.now()),
            by=T.T3,
            bounces=last.bounces,
            arbitrated=last.arbitration,
        )
        self.world.append(again, Service.TRIAGE)

    def triage_refuses_what_lies_with_it(self) -> None:
        since = max(number for number, entry in enumerate(self.world.cases) if isinstance(entry.body, CaseReturned))
        waiting = {e.body.input_id for e in self.world.cases[since:] if isinstance(e.body, ReporterReplied | ReporterConfirmed)}
        for input_id in sorted(waiting):
            refused = InputRefused(
                case_id=CASE_ID,
                version=self.owner_events()[-1].version + 1,
                occurred_at=NOON + timedelta(minutes=self.now()),
                state=S.RECEIVED,
                owner=Service.TRIAGE,
                input_id=input_id,
                code="not_answered",
                detail="Belum dijawab.",
            )
            self.world.append(refused, Service.TRIAGE)

    @precondition(lambda self: self.world.read > 0)
    @rule(data=st.data())
    def a_record_is_delivered_again(self, data: st.DataObject) -> None:
        """Under the same id, or an input that was answered under another id."""
        while self.world.read_next():
            pass
        before = self.effect()
        message = data.draw(st.sampled_from(self.world.cases))
        answered = isinstance(message.body, InputEvent) and message.body.input_id in self.world.handled
        self.world.repeat(replace(message, id=uuid4()) if answered and data.draw(st.booleans()) else message)
        assert self.world.read_next()
        assert self.effect() == before

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_command_is_delivered_again(self, data: st.DataObject) -> None:
        command, agency, message_id = data.draw(st.sampled_from(self.sent))
        before = self.effect()
        self.world.command(command, agency, NOON + timedelta(minutes=self.now()), message_id)
        assert self.effect() == before

    def effect(self) -> tuple[object, ...]:
        return self.world.case, len(self.world.cases), len(self.world.agencies)

    def owner_events(self) -> list[CaseEvent]:
        return [entry.body for entry in self.world.cases if isinstance(entry.body, CaseEvent)]

    @invariant()
    def versions_have_no_gap(self) -> None:
        assert [event.version for event in self.owner_events()] == list(range(2, 2 + len(self.owner_events())))

    @invariant()
    def only_transitions_of_the_table_happen(self) -> None:
        state: CaseState | None = None
        for event in self.owner_events():
            if event.transition is None:
                assert isinstance(event, InputRefused)
                assert event.state is state
                continue
            assert isinstance(event.transition, Transition)
            sources, target = TABLE[event.transition]
            assert state in sources, f"{event.transition} from {state}"
            assert event.state is target
            state = event.state

    @invariant()
    def nothing_is_closed_unanswered_and_time_runs_on(self) -> None:
        events = self.owner_events()
        for number, event in enumerate(events):
            assert not isinstance(event, CaseClosed) or any(e.transition is T.T15 for e in events[:number])
            assert number == 0 or event.occurred_at >= events[number - 1].occurred_at

    @invariant()
    def the_agency_is_notified_of_every_change_once(self) -> None:
        forwards = [e.body for e in self.world.read_cases() if isinstance(e.body, CaseForwarded)]
        own = [e.body for e in self.world.cases if e.source == Service.DISPATCH and isinstance(e.body, CaseEvent)]
        wanted = sorted(
            (event.version, event.state, event.agency) for event in [*forwards, *own] if hasattr(event, "agency") and event.transition
        )
        messages = [m for m in self.world.agencies if isinstance(m.body, CaseAssigned | CaseChanged)]
        assert sorted((m.body.version, m.body.state, m.body.agency) for m in messages) == wanted  # type: ignore[attr-defined]
        assert all(m.topic == AGENCY_CASES.for_agency(m.body.agency) for m in messages)  # type: ignore[attr-defined]

    @invariant()
    def no_case_gets_more_than_three_supplements_a_day(self) -> None:
        supplements = [event for event in self.owner_events() if isinstance(event, CaseAnswered) and event.supplement]
        days = Counter((event.occurred_at + timedelta(hours=7)).date() for event in supplements)
        assert max(days.values(), default=0) <= 3

    @invariant()
    def no_fault_of_ours_is_answered(self) -> None:
        codes = {m.body.code for m in self.world.agencies if isinstance(m.body, ActionRefused)}
        assert not codes & {"internal_error", "invalid_message", "unknown_type"}

    @invariant()
    def no_message_id_is_used_twice(self) -> None:
        ids = [e.id for e in self.world.cases] + [m.id for m in self.world.agencies]
        assert len(ids) == len(set(ids))

    def teardown(self) -> None:
        """At the end everything is read: no input of ours is lost, and a database put back to nothing is rebuilt."""
        while self.world.read_next():
            pass
        self.every_input_is_taken_once()
        self.rebuild_gives_the_same_case()
        self.reading_it_all_again_changes_nothing()

    def every_input_is_taken_once(self) -> None:
        """By dispatch, with an event that names it, or by triage, where it or its repeat lies behind a hand-over to triage."""
        own = [entry.body for entry in self.world.cases if entry.source == Service.DISPATCH]
        answered = [event.input_id for event in own if isinstance(event, CaseEvent) and event.input_id]
        assert len(answered) == len(set(answered))
        owner = Service.INTAKE
        lies_with: dict[UUID, set[Service]] = {}
        for entry in self.world.cases:
            if isinstance(entry.body, CaseEvent):
                owner = entry.body.owner
            elif isinstance(entry.body, ReporterReplied | ReporterConfirmed):
                lies_with.setdefault(entry.body.input_id, set()).add(owner)
        for input_id, owners in lies_with.items():
            assert (input_id in answered) != (Service.TRIAGE in owners)

    def rebuild_gives_the_same_case(self) -> None:
        """From the topic as it lies; and it knows again which commands and inputs were answered."""
        lay_there = len(self.world.cases)
        rebuilt = Delivery(self.world)
        while rebuilt.read_next():
            pass
        rebuilt.release()
        assert rebuilt.case == self.world.case
        assert rebuilt.handled == {_handled_as(e) for e in self.owner_events() if e.input_id}
        anew = [entry.body for entry in rebuilt.cases[lay_there:] if isinstance(entry.body, CaseEvent)]
        assert not anew, "a rebuild decides nothing anew"
        bodies = {m.id: m.body for m in self.world.agencies if not isinstance(m.body, ActionRefused)}
        assert {m.id: m.body for m in rebuilt.agencies} == bodies

    def reading_it_all_again_changes_nothing(self) -> None:
        """Inbox, answered inputs and positions forgotten, the case kept: no event, no message to an agency, no other state."""
        again = Delivery(self.world, self.world.case)
        while again.read_next():
            assert again.case == self.world.case
        again.release()
        assert again.case == self.world.case
        assert again.cases == self.world.cases
        assert again.agencies == []


def _handled_as(event: CaseEvent) -> UUID:
    """An agency system's ids are its own: the agency is part of what they are remembered by."""
    assert event.input_id is not None
    actor = event.actor
    if actor is not None and actor.role is Role.AGENCY_SYSTEM:
        return derive_id(event.input_id, str(actor.agency))
    return event.input_id


Dispatch.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestDispatch = Dispatch.TestCase
