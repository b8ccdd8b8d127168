"""What an event of a case does to its clocks: which start, are met or stop is read from the table of the contracts.

What no table says is here: the limits that an event brings, that arbitration takes the place of verification, that a window which ran out
was not met, and that nothing runs on in a case that is closed, archived or returned.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sla_monitor.domain.case_clocks import CaseClocks, Ended, Held, Running, RunOutcome, Started, Step
from sla_monitor.domain.deadlines import DeadlinePlanner
from tuntas_contracts import cases
from tuntas_contracts.base import CaseEvent, InputEvent
from tuntas_contracts.lifecycle import CLOCKS, ENDED, TRANSITIONS
from tuntas_contracts.vocabulary import Clock, Service, ServiceClass, Transition
from tuntas_reference.deadlines import NATIONAL_TIME_ZONE
from tuntas_reference.profile import DEFAULT_PROFILE, load_profile

_TIMED = tuple(row for row in CLOCKS.values() if not row.planned)
_BY_TIME = frozenset(row.number for row in TRANSITIONS.values() if not row.roles)
Change = tuple[CaseClocks | None, tuple[Step, ...]]


class ClockMachine:
    """Applies events to the clocks of a case. Pure: the same state and event give the same steps."""

    def __init__(self, planner: DeadlinePlanner) -> None:
        self._planner = planner

    def on_event(self, state: CaseClocks | None, event: CaseEvent | InputEvent, partition: int) -> Change:
        """The new state (None: unchanged) and the steps that led to it.

        An event whose version is known already, an input outside of its window and an input of an unknown case change nothing. A case
        that is first seen in its middle is taken up from there. Raises CalendarError and LookupError where its zone or profile is unknown.
        """
        if isinstance(event, InputEvent):
            return _hold(state, event)
        if state is None:
            state = CaseClocks(event.case_id, partition, 0, event.state, DEFAULT_PROFILE, NATIONAL_TIME_ZONE, event.occurred_at)
        elif event.version <= state.version:
            return None, ()
        move = _Move(state, event, partition, self._planner)
        note = _NOTES.get(type(event))
        if note is not None:
            note(move, event)
        if event.transition is not None:
            move.apply(event.transition, over=event.state in ENDED or isinstance(event, cases.CaseReturned))
        return move.finish(), tuple(move.steps)


def _hold(state: CaseClocks | None, event: InputEvent) -> Change:
    window = _window(state.running) if state else None
    if state is None or window is None or not window.started_at <= event.occurred_at <= window.due_at:
        return None, ()
    if event.input_id in state.held_by or event.input_id in state.refused:
        return None, ()
    held = state._replace(held_by=(*state.held_by, event.input_id))
    return held, () if state.held_by else (Held(state.case_id, window.clock, True, event.occurred_at),)


def _window(running: Iterable[Running]) -> Running | None:
    """The reporter's window; no two run at once."""
    return next((run for run in running if CLOCKS[run.clock].window), None)


class _Move:
    """One event at work: collects the steps, then gives the new state."""

    def __init__(self, state: CaseClocks, event: CaseEvent, partition: int, planner: DeadlinePlanner) -> None:
        self.before = state
        self.at = event.occurred_at
        self.owner = event.owner
        self.steps: list[Step] = []
        self.changed: dict[str, Any] = {"version": event.version, "state": event.state, "partition": partition}
        self.running = {run.clock: run for run in state.running}
        self._versions = state.deadline_versions
        self._planner = planner
        self.known_at: datetime | None = None
        self.limits: Mapping[Clock, int] = {}
        self.replaced: Clock | None = None

    def apply(self, number: Transition | str, *, over: bool) -> None:
        """End and start the clocks that the transition ends and starts. `over`: none of those before runs on.

        `limits` replace the profile's lengths, and `replaced` is not started though the transition may. A transition of a later
        release moves no clock.
        """
        for row in _TIMED:
            if number in row.meets:
                self.end((row.number,), RunOutcome.ELAPSED if row.window and number in _BY_TIME else RunOutcome.MET)
            elif number in row.stops:
                self.end((row.number,), RunOutcome.STOPPED)
        if over:
            self.end(tuple(self.running), RunOutcome.STOPPED)
        for row in _TIMED:
            if number in row.starts and row.number is not self.replaced and row.owner in (None, self.owner) and self._has(row.number):
                self.start(row.number, self.limits.get(row.number), met_at_once=number in row.meets)

    def _has(self, clock: Clock) -> bool:
        """Whether the case's profile has that clock, which may have come after it. Raises LookupError for an unknown profile."""
        return load_profile(self.get("profile")).has_clock(clock)

    def entered(self, at: datetime | None) -> None:
        """The report of the case was entered at that time, which is later than the event where it had been received by hand before."""
        self.known_at = at if at is not None and at > self.at else None

    def get(self, name: str) -> Any:
        """A field of the case as it will be."""
        return self.changed[name] if name in self.changed else getattr(self.before, name)

    def start(self, clock: Clock, limit: int | None = None, *, met_at_once: bool = False) -> None:
        """Start a clock; one of the same kind that still runs is stopped. `limit` replaces the profile's length."""
        self.end((clock,), RunOutcome.STOPPED)
        service_class: ServiceClass | None = self.get("service_class")
        profile: str = self.get("profile")
        plan = self._planner.plan(profile, clock, self.at, self.get("time_zone"), service_class, limit, self.known_at)
        number = self._versions.get(clock, 0) + 1
        self._versions = {**self._versions, clock: number}
        run = Running(clock, number, self.at, plan.due_at)
        national = CLOCKS[clock].owner is Service.TRIAGE
        started = Started(
            case_id=self.before.case_id,
            partition=self.get("partition"),
            run=run,
            profile=profile,
            agency=None if national else self.get("agency"),
            unit=None if national else self.get("unit"),
            service_class=service_class,
            provisional=plan.provisional,
            checkpoints=() if met_at_once else plan.checkpoints,
            announced=not met_at_once,
            known_at=self.known_at,
        )
        self.steps.append(started)
        if met_at_once:
            self._ended(run, RunOutcome.MET)
        else:
            self.running[clock] = run

    def end(self, clocks: Iterable[Clock], outcome: RunOutcome) -> None:
        """End those of the clocks that run; what ends after its due is late."""
        for clock in clocks:
            run = self.running.pop(clock, None)
            if run is not None:
                self._ended(run, outcome)
                if CLOCKS[clock].window:
                    self.changed["held_by"] = ()

    def _ended(self, run: Running, outcome: RunOutcome) -> None:
        window = CLOCKS[run.clock].window
        late = self.at > run.due_at and not window
        if late and outcome is RunOutcome.MET:
            outcome = RunOutcome.MET_LATE
        elif late and outcome is RunOutcome.STOPPED:
            outcome = RunOutcome.MISSED
        days = self._planner.working_days(run.started_at, self.at, self.get("time_zone"))
        ended_at = max(self.at, run.started_at)
        self.steps.append(Ended(self.before.case_id, run.clock, run.deadline_version, ended_at, outcome, days, window))

    def first(self, name: str) -> None:
        """Set a moment that only the first event of its kind sets."""
        if getattr(self.before, name) is None:
            self.changed[name] = self.at

    def finish(self) -> CaseClocks:
        """The case after the event."""
        return self.before._replace(running=tuple(self.running.values()), deadline_versions=self._versions, **self.changed)


def _received(move: _Move, event: cases.CaseReceived) -> None:
    move.changed["profile"] = event.profile or DEFAULT_PROFILE  # the events of the first release do not name it
    move.entered(event.submitted_at)


def _forwarded(move: _Move, event: cases.CaseForwarded) -> None:
    track = event.fast_track
    move.changed |= {
        "agency": event.agency,
        "unit": track and track.unit,
        "service_class": track and track.service_class,
        "time_zone": event.time_zone,
        "profile": event.report.profile,
        "bounces": event.bounces,
        "received_at": event.report.submitted_at,
    }
    move.entered(event.report.submitted_at)
    if track is not None:
        move.limits = {Clock.C3: track.follow_up_limit, Clock.C4: track.completion_limit}


def _assessed(move: _Move, event: cases.CaseAccepted | cases.HandlingStarted) -> None:
    move.changed |= {"agency": event.agency, "unit": event.assessment.unit, "service_class": event.assessment.service_class}
    move.limits = {Clock.C4: event.assessment.completion_limit}


def _handling_started(move: _Move, event: cases.HandlingStarted) -> None:
    _assessed(move, event)
    move.first("responded_at")


def _returned(move: _Move, event: cases.CaseReturned) -> None:
    move.changed |= {"agency": None, "unit": None, "service_class": None, "bounces": event.bounces}
    move.replaced = Clock.C1 if event.arbitration else Clock.C10


def _followed_up(move: _Move, _event: cases.FollowUpRecorded) -> None:
    move.first("responded_at")


def _answered(move: _Move, event: cases.CaseAnswered) -> None:
    move.first("responded_at")
    move.first("answered_at")
    move.changed["agency"] = event.agency


def _input_refused(move: _Move, event: cases.InputRefused) -> None:
    if event.input_id not in move.before.held_by:
        return
    left = tuple(held for held in move.before.held_by if held != event.input_id)
    move.changed |= {"held_by": left, "refused": (*move.before.refused, event.input_id)}
    window = _window(move.running.values())
    if not left and window is not None:
        move.steps.append(Held(move.before.case_id, window.clock, False, window.started_at))


_NOTES: Mapping[type[CaseEvent], Callable[[_Move, Any], None]] = MappingProxyType(
    {
        cases.CaseReceived: _received,
        cases.CaseForwarded: _forwarded,
        cases.CaseAccepted: _assessed,
        cases.HandlingStarted: _handling_started,
        cases.CaseReturned: _returned,
        cases.FollowUpRecorded: _followed_up,
        cases.CaseAnswered: _answered,
        cases.InputRefused: _input_refused,
    }
)
"""What each event says of the case itself, before its transition moves the clocks."""
