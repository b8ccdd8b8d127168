"""No order of messages, commands, repeats, restarts and restored backups breaks what holds for every case."""

from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.triage.builders import CASE_ID, LATER, OFFICER, a_report, an_id, confirmed, elapsed, replied, submitted
from tests.unit.triage.one_case_topic import Dispatch, Topic, Triage
from triage.domain.verification import Archive, InvalidCommand, Verify
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.cases import CaseArchived, CaseForwarded, CaseReceived, CaseReturned, InputRefused, ReportSubmitted, WindowElapsed
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Service

REPORTS: list[dict[str, Any]] = [
    {},
    {"addressed_agency": "kota-bandung"},
    {"addressed_agency": "tidak-ada"},
    {"misconduct": True, "addressed_agency": "kota-bandung"},
    {"category": "health", "title": "Wabah difteri"},
]
# which event may follow while the case is in which state and with which owner
FOLLOWS: dict[tuple[CaseState, Service], tuple[type[CaseEvent], ...]] = {
    (CaseState.RECEIVED, Service.TRIAGE): (CaseReceived, CaseForwarded, CaseArchived, InputRefused),
    (CaseState.ARCHIVED, Service.TRIAGE): (InputRefused,),
    (CaseState.AT_AGENCY, Service.DISPATCH): (CaseReturned, InputRefused),
    (CaseState.DISPATCHED, Service.DISPATCH): (CaseReturned, InputRefused),
}


class OneCase(RuleBasedStateMachine):
    """A case between a reporter, triage with its officers, and dispatch."""

    def __init__(self) -> None:
        super().__init__()
        self.topic = Topic()
        self.triage = Triage(self.topic)
        self.dispatch = Dispatch(self.topic)
        self.backup = self.triage.db.copy()
        self.restored = False
        self.inputs: set[Any] = set()
        self.windows: set[Any] = set()
        self.report: dict[str, Any] | None = None

    @precondition(lambda self: self.report is None)
    @rule(report=st.sampled_from(REPORTS))
    def submit(self, report: dict[str, Any]) -> None:
        self.report = report
        self.topic.append(an_id("submitted"), Service.INTAKE, submitted(**report))

    @precondition(lambda self: self.report is not None)
    @rule(make=st.sampled_from([replied, confirmed, elapsed]))
    def input_comes(self, make: Any) -> None:
        name = f"input-{len(self.inputs)}"
        body: InputEvent = make(name)
        self.inputs.add(body.input_id)
        if isinstance(body, WindowElapsed):
            self.windows.add(body.input_id)
        self.topic.append(an_id(f"record-{name}"), Service.INTAKE, body)

    @rule()
    def triage_reads(self) -> None:
        self.triage.read()

    @rule()
    def dispatch_reads(self) -> None:
        self.dispatch.read()

    @rule(keep=st.booleans())
    def triage_publishes(self, keep: bool) -> None:
        self.triage.relay(keep=keep)

    @rule()
    def dispatch_publishes(self) -> None:
        self.dispatch.relay()

    @rule()
    def agency_returns(self) -> None:
        self.dispatch.send_back()

    @precondition(lambda self: self.triage.case is not None and self.triage.caught_up)
    @rule(agency=st.sampled_from(["kota-bandung", "kota-ambon", "kemen-lama"]))
    def officer_forwards(self, agency: str) -> None:
        before = self.triage.db.copy()
        try:
            self.triage.execute(lambda made, case: made.forward(case, a_report(), Verify(agency), OFFICER, LATER))
        except (Refusal, InvalidCommand):
            assert self.triage.db == before

    @precondition(lambda self: self.triage.case is not None and self.triage.caught_up)
    @rule()
    def officer_archives(self) -> None:
        with suppress(Refusal):
            self.triage.execute(lambda made, case: made.archive(case, Archive(ArchiveReason.SPAM), OFFICER, LATER))

    @rule()
    def triage_releases(self) -> None:
        self.triage.release()

    @rule()
    def inbox_and_offsets_are_forgotten(self) -> None:
        self.triage.put_back(self.triage.forgotten())

    @rule()
    def triage_restarts(self) -> None:
        self.triage.restart()

    @rule()
    def backup_is_taken(self) -> None:
        self.backup = self.triage.db.copy()

    @rule()
    def backup_is_restored(self) -> None:
        self.triage.put_back(self.backup)
        self.restored = True

    @invariant()
    def versions_have_no_gap_and_every_step_is_allowed(self) -> None:
        state, owner = CaseState.RECEIVED, Service.INTAKE
        for number, record in enumerate(self.topic.history(), start=1):
            event = record.body
            assert isinstance(event, CaseEvent)
            assert event.version == number, [type(r.body).__name__ for r in self.topic.history()]
            assert record.source == owner, "only the owner speaks for a case"
            allowed = (ReportSubmitted,) if number == 1 else FOLLOWS[state, owner]
            assert isinstance(event, allowed)
            state, owner = event.state, event.owner

    @invariant()
    def everything_can_be_handled(self) -> None:
        for service in (self.triage.service, self.dispatch.service):
            assert [row["error"] for row in service.database.tables.dead_letters.rows.values()] == []

    @invariant()
    def what_waits_is_in_the_queue_and_nothing_else(self) -> None:
        case = self.triage.case
        if case is not None:
            waits = case.owned and case.state is CaseState.RECEIVED
            assert (case.queued_as is not None) is waits
            assert (case.waiting_since is not None) is waits
            assert not case.arbitration or waits
            assert case.case_id == CASE_ID

    def teardown(self) -> None:
        """All comes to rest: both services agree, and every input is answered, once unless a backup lost the answer."""
        while self._moves():
            pass
        if self.report is None:
            return
        case = self.triage.case
        assert case is not None
        self.versions_have_no_gap_and_every_step_is_allowed()
        last = self.topic.history()[-1].body
        assert isinstance(last, CaseEvent)
        assert case.owner is case.topic_owner is last.owner
        at_dispatch = self.dispatch.case
        assert at_dispatch.owner is at_dispatch.topic_owner is (last.owner is Service.DISPATCH)
        if case.owned:
            assert (case.version, case.state) == (last.version, last.state)
        answers = [r.body.input_id for r in self.topic.history() if isinstance(r.body, InputRefused)]
        assert set(answers) == self.inputs - self.windows, "reporters are answered, and nobody is notified of a window of no case of his"
        assert self.restored or len(answers) == len(set(answers))
        self.reading_it_all_again_changes_nothing()

    def reading_it_all_again_changes_nothing(self) -> None:
        before, lay_there = self.triage.case, len(self.topic)
        self.triage.put_back(self.triage.forgotten())
        while self._moves():
            pass
        assert len(self.topic) == lay_there, "nothing is sent"
        assert self.triage.case == before
        assert not self.triage.db.held

    def _moves(self) -> bool:
        before = self._seen()
        self.triage.read()
        self.triage.release()
        self.dispatch.read()
        self.triage.relay()
        self.dispatch.relay()
        return before != self._seen()

    def _seen(self) -> tuple[object, ...]:
        return self.triage.db.copy(), len(self.topic), self.dispatch.service.database.tables.copy()


OneCase.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestOneCase = OneCase.TestCase
