"""The scheduler: reads what happened and plans who acts next, and when; at each moment lets them act."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import CaseState
from tuntas_demo.agency_commands import AgencyCommands
from tuntas_demo.agenda import Activity, Agenda
from tuntas_demo.case_log import CaseLog, PlayedCase
from tuntas_demo.corpus.behaviour import Act, reporter_decision
from tuntas_demo.counters import Counters
from tuntas_demo.feed import FeedMessage
from tuntas_demo.office_hours import OfficeHours
from tuntas_demo.officers import Officers
from tuntas_demo.reporters import Reporters
from tuntas_demo.systems import Systems
from tuntas_demo.verifiers import Verifiers, may_route, verification_days

_OWN_TOPIC_KINDS = frozenset({"CaseAssigned", "CaseChanged"})


@dataclass(frozen=True, slots=True)
class Actors:
    """Everybody who acts."""

    reporters: Reporters
    verifiers: Verifiers
    officers: Officers
    systems: Systems


class Scheduler:
    """Knows the play: what follows from what."""

    def __init__(
        self, actors: Actors, agency_commands: AgencyCommands, book: CaseLog, counters: Counters, office_hours: OfficeHours, seed: int
    ) -> None:
        self._actors = actors
        self._agency_commands = agency_commands
        self._book = book
        self._counters = counters
        self._office_hours = office_hours
        self._seed = seed
        self._now = office_hours.first_moment
        self._early: defaultdict[str, list[FeedMessage]] = defaultdict(list)
        self.agenda = Agenda(office_hours.end)

    def listen(self, messages: Sequence[FeedMessage]) -> None:
        """Messages of the topics, as they come."""
        for one in messages:
            self._counters.count(one)
            if one.topic == CASES.name or one.kind in _OWN_TOPIC_KINDS:
                case_id = one.data["case_id"]
                self._early[case_id].append(one)
                self._process(case_id)

    async def perform(self, moment: datetime) -> None:
        """Let everybody act whose turn it is, all at once; returns when they have been answered."""
        self._now = moment
        turns = self.agenda.take(moment)
        actors = self._actors
        await asyncio.gather(
            actors.reporters.submit(turns[Activity.SUBMIT]),
            actors.verifiers.verify(turns[Activity.VERIFY]),
            self._agencies(turns[Activity.DECIDE], actors.officers.decide, actors.systems.decide),
            self._agencies(turns[Activity.FOLLOW_UP], actors.officers.follow_up, actors.systems.follow_up),
            self._agencies(turns[Activity.ANSWER], actors.officers.answer, actors.systems.answer),
            actors.reporters.react(turns[Activity.REACT]),
        )
        for case_id in list(self._early):
            self._process(case_id)

    def _process(self, case_id: str) -> None:
        """Events can come before the receipt: they wait for it."""
        case = self._book.get(case_id)
        if case is not None:
            for one in self._early.pop(case_id):
                self._happened(case, one)

    async def _agencies(self, cases: Sequence[PlayedCase], officers: "Players", systems: "Players") -> None:
        by_officers = [case for case in cases if not self._agency_commands.has_own_system(case.agency or "")]
        by_systems = [case for case in cases if self._agency_commands.has_own_system(case.agency or "")]
        await asyncio.gather(officers(by_officers), systems(by_systems))

    def _happened(self, case: PlayedCase, message: FeedMessage) -> None:
        """An agency with its own system reads of its cases on its own topic only."""
        data, at_own_topic = message.data, message.topic != CASES.name
        if "version" not in data:
            return
        if at_own_topic:
            plan = _PLANS_OF_AGENCIES.get(message.kind) or _PLANS_OF_AGENCIES.get(data["transition"])
        else:
            if data["version"] <= case.version:
                return
            _note(case, message)
            plan = _PLANS.get(message.kind) or _PLANS_OF_AGENCIES.get(message.kind)
        if plan is None or (plan in _PLANS_OF_AGENCIES.values() and at_own_topic != self._agency_commands.has_own_system(data["agency"])):
            return
        plan(self, case, data)

    def _plan_verification(self, case: PlayedCase, data: "Data") -> None:
        if may_route(case):
            self._in_office(Activity.VERIFY, case, data, verification_days(self._seed, case))

    def _plan_decision(self, case: PlayedCase, data: "Data") -> None:
        if data["state"] == CaseState.AT_AGENCY:
            self._in_office(Activity.DECIDE, case, data, self._agency_commands.decision(case, data["agency"]).working_days)
        else:  # T21: straight to the officer in charge
            self._plan_handling(case, data)

    def _plan_handling(self, case: PlayedCase, data: "Data") -> None:
        liaison = self._agency_commands.liaison(case, data["agency"])
        answer = None if liaison.answer is None else self._in_office(Activity.ANSWER, case, data, liaison.answer)
        if data["state"] == CaseState.DISPATCHED and liaison.follow_up is not None:
            self._in_office(Activity.FOLLOW_UP, case, data, liaison.follow_up, before=answer)

    def _plan_reaction(self, case: PlayedCase, data: "Data") -> None:
        decision = reporter_decision(self._seed, case.number, data["agency"], case.report.behaviour, answers=case.answers)
        if decision.act is not Act.STAY_SILENT:
            evening = self._office_hours.evening(self._now, decision.working_days)
            self.agenda.add(evening, Activity.REACT, case, data["version"])

    def _plan_another_answer(self, case: PlayedCase, data: "Data") -> None:
        again = self._agency_commands.liaison(case, data["agency"]).re_answer
        if again is not None:
            self._in_office(Activity.ANSWER, case, data, again)

    def _in_office(self, activity: Activity, case: PlayedCase, data: "Data", working_days: int, before: datetime | None = None) -> datetime:
        """Plan an activity in office hours; not at all if it would not come before another one."""
        rng = Random(f"{self._seed}:{case.number}:{data['version']}:{activity}")
        moment = self._office_hours.office(self._now, working_days, rng)
        if before is None or moment < before:
            self.agenda.add(moment, activity, case, data["version"])
        return moment


def _note(case: PlayedCase, message: FeedMessage) -> None:
    """What an event on the cases topic says of its case."""
    data = message.data
    case.version, case.state = data["version"], CaseState(data["state"])
    if message.kind in _CHANGES_WHO_ACTS:
        case.stage = case.version
    if message.kind == "CaseForwarded":
        case.agency, case.bounces, case.arbitrated, case.arbitration = data["agency"], data["bounces"], data["arbitrated"], False
    elif message.kind == "CaseReturned":
        case.bounces, case.arbitration = data["bounces"], data["arbitration"]
    elif message.kind == "CaseAnswered":
        case.answers += 1


Data = Mapping[str, Any]
Players = Callable[[Sequence[PlayedCase]], Awaitable[None]]
Plan = Callable[[Scheduler, PlayedCase, Data], None]

_PLANS: Mapping[str, Plan] = {
    "CaseReceived": Scheduler._plan_verification,
    "CaseReturned": Scheduler._plan_verification,
    "CaseAnswered": Scheduler._plan_reaction,
}
# By the event on the cases topic, and by what an agency reads on its own.
_PLANS_OF_AGENCIES: Mapping[str, Plan] = {
    "CaseForwarded": Scheduler._plan_decision,
    "CaseAssigned": Scheduler._plan_decision,
    "CaseAccepted": Scheduler._plan_handling,
    "T4": Scheduler._plan_handling,
    "HandlingStarted": Scheduler._plan_handling,
    "T5": Scheduler._plan_handling,
    "CaseResumed": Scheduler._plan_another_answer,
    "T16": Scheduler._plan_another_answer,
}
# A follow-up leaves the planned answer as it is.
_CHANGES_WHO_ACTS = frozenset(
    {
        "CaseReceived",
        "CaseReturned",
        "CaseForwarded",
        "CaseAccepted",
        "HandlingStarted",
        "CaseAnswered",
        "CaseResumed",
        "CaseClosed",
        "CaseArchived",
    }
)
