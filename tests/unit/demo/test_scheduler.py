"""What follows from what in the demo's play."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from dispatch.domain.register import load_register
from tests.unit.demo.builders import feed_message, played
from tuntas_contracts.agencies import AcceptCase, HandleCase, ReturnCase
from tuntas_contracts.topology import AGENCY_CASES
from tuntas_contracts.vocabulary import ArchiveReason, CaseState
from tuntas_demo.agency_commands import AgencyCommands
from tuntas_demo.agenda import Activity
from tuntas_demo.case_log import CaseLog, PlayedCase
from tuntas_demo.corpus import Hint
from tuntas_demo.counters import Counters
from tuntas_demo.office_hours import OfficeHours
from tuntas_demo.options import FIRST_DAY
from tuntas_demo.scheduler import Actors, Scheduler
from tuntas_reference.calendar_files import load_calendar

REGISTER = load_register()
SEED = 1
COMMANDS = AgencyCommands(REGISTER, SEED)
WITH_SYSTEM = next(agency.code for agency in REGISTER if COMMANDS.has_own_system(agency.code))
BY_HTTP = next(agency.code for agency in REGISTER if not COMMANDS.has_own_system(agency.code))


class Players:
    """In the place of all players: remembers who was let act, and when."""

    def __init__(self) -> None:
        self.acted: list[tuple[str, str, list[PlayedCase]]] = []

    def of(self, name: str) -> Any:
        players = self

        class Some:
            def __getattr__(self, activity: str) -> Any:
                async def act(cases: Sequence[PlayedCase]) -> None:
                    if cases:
                        players.acted.append((name, activity, list(cases)))

                return act

        return Some()


class Stage:
    def __init__(self) -> None:
        self.players, self.book = Players(), CaseLog()
        self.office_hours = OfficeHours(load_calendar(), FIRST_DAY, 25)
        actors = Actors(*(cast(Any, self.players.of(name)) for name in ("reporters", "verifiers", "officers", "systems")))
        self.scheduler = Scheduler(actors, COMMANDS, self.book, Counters(COMMANDS.has_own_system), self.office_hours, SEED)

    async def play_on(self) -> list[tuple[datetime, str, str]]:
        """Everything that was planned, as (moment, who, activity)."""
        seen = []
        while (moment := self.scheduler.agenda.next()) is not None:
            self.players.acted.clear()
            await self.scheduler.perform(moment)
            seen += [(moment, who, activity) for who, activity, _ in self.players.acted]
        return seen


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_what_waits_in_the_national_queue_is_verified(stage: Stage) -> None:
    case = played(stage.book)
    stage.scheduler.listen([feed_message("CaseReceived", case, state="received", source="triage")])
    assert [(who, activity) for _, who, activity in await stage.play_on()] == [("verifiers", "verify")]


async def test_misconduct_stays_at_the_centre(stage: Stage) -> None:
    case = played(stage.book, misconduct=True)
    stage.scheduler.listen([feed_message("CaseReceived", case, state="received", source="triage")])
    assert await stage.play_on() == []
    assert case.state is CaseState.RECEIVED


async def test_an_agency_without_a_system_acts_by_its_officers(stage: Stage) -> None:
    case = played(stage.book)
    stage.scheduler.listen([feed_message("CaseForwarded", case, agency=BY_HTTP, bounces=0, arbitrated=False, source="triage")])
    assert [(who, activity) for _, who, activity in await stage.play_on()] == [("officers", "decide")]


async def test_an_agency_with_a_system_of_its_own_hears_of_its_cases_on_its_own_topic_alone(stage: Stage) -> None:
    case = played(stage.book)
    forwarded = feed_message("CaseForwarded", case, agency=WITH_SYSTEM, bounces=0, arbitrated=False, source="triage")
    stage.scheduler.listen([forwarded])
    assert stage.scheduler.agenda.next() is None
    stage.scheduler.listen([feed_message("CaseAssigned", case, topic=AGENCY_CASES.for_agency(WITH_SYSTEM), agency=WITH_SYSTEM)])
    assert [(who, activity) for _, who, activity in await stage.play_on()] == [("systems", "decide")]


async def test_the_agencys_topic_may_be_faster_than_the_cases_topic(stage: Stage) -> None:
    case = played(stage.book)
    stage.scheduler.listen([feed_message("CaseAssigned", case, topic=AGENCY_CASES.for_agency(WITH_SYSTEM), agency=WITH_SYSTEM)])
    stage.scheduler.listen([feed_message("CaseForwarded", case, agency=WITH_SYSTEM, bounces=0, arbitrated=False, source="triage")])
    assert [(who, activity) for _, who, activity in await stage.play_on()] == [("systems", "decide")]


async def test_news_that_are_faster_than_the_receipt_wait_for_it(stage: Stage) -> None:
    case = PlayedCase(played().report)
    stage.scheduler.listen([feed_message("CaseReceived", "the-id", state="received", source="triage")])
    assert stage.scheduler.agenda.next() is None
    stage.book.accepted(case, "the-id", "LAP-1", "code")
    await stage.scheduler.perform(stage.office_hours.first_moment)
    assert case.state is CaseState.RECEIVED
    assert stage.scheduler.agenda.next() is not None


async def test_an_event_that_comes_twice_is_planned_for_once(stage: Stage) -> None:
    case = played(stage.book)
    received = feed_message("CaseReceived", case, state="received", source="triage")
    stage.scheduler.listen([received, received])
    assert len(await stage.play_on()) == 1


async def test_a_case_that_was_returned_before_its_turn_is_no_longer_decided_on(stage: Stage) -> None:
    case = played(stage.book)
    stage.scheduler.listen([feed_message("CaseForwarded", case, 2, agency=BY_HTTP, bounces=0, arbitrated=False, source="triage")])
    returned = feed_message("CaseReturned", case, 3, state="received", agency=BY_HTTP, bounces=1, arbitration=False, transition="T10")
    stage.scheduler.listen([returned])
    assert [(who, activity) for _, who, activity in await stage.play_on()] == [("verifiers", "verify")]


async def test_a_first_follow_up_always_comes_before_the_answer(stage: Stage) -> None:
    for number in range(1, 200):
        case = played(stage.book, number=number)
        stage.scheduler.listen([feed_message("CaseAccepted", case, 4, state="dispatched", agency=BY_HTTP, transition="T4")])
    moments: dict[tuple[int, Activity], datetime] = {}
    agenda = stage.scheduler.agenda
    while (moment := agenda.next()) is not None:
        for activity, cases in agenda.take(moment).items():
            moments |= {(case.number, activity): moment for case in cases}
    followed_up = [number for number, activity in moments if activity is Activity.FOLLOW_UP]
    assert len(followed_up) > 20
    for number in followed_up:
        answered = moments.get((number, Activity.ANSWER))
        assert answered is None or moments[number, Activity.FOLLOW_UP] < answered


def test_an_agency_that_got_the_case_by_arbitration_never_returns_it() -> None:
    for number in range(1, 60):
        case = played(number=number)
        case.agency, case.arbitrated = "kemenhub", True
        assert isinstance(COMMANDS.verification(case), AcceptCase | HandleCase)
        case.arbitrated = False
    kinds = {type(COMMANDS.verification(case_at("kemenhub", number))) for number in range(1, 60)}
    assert ReturnCase in kinds


def case_at(agency: str, number: int) -> PlayedCase:
    case = played(number=number)
    case.agency = agency
    return case


def test_a_unit_that_the_agency_does_not_have_is_never_named() -> None:
    for number in range(1, 30):
        command = COMMANDS.verification(case_at("kemenkes", number))
        if isinstance(command, AcceptCase):
            assert command.unit in {unit.code for unit in REGISTER.get("kemenkes").units}


def test_what_deserves_the_archive_goes_back_to_the_centre() -> None:
    case = played(hint=Hint(right_agency="kemenkes", archive_reason=ArchiveReason.SPAM))
    case.agency = "kemenkes"
    assert isinstance(COMMANDS.verification(case), ReturnCase)
