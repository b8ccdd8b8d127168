"""Each case has the limits of the profile that it was received under, in every service, where several are known."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest

from dispatch.domain.commands import decide
from intake.domain.history import reply_possible_until
from notifier.adapters.templates import MailTemplates
from notifier.domain.decisions import notice_of
from notifier.domain.delivery import Delivery
from sla_monitor.domain.clocks import ClockMachine
from tests.support.names import NAMES
from tests.unit.dispatch import builders as dispatch
from tests.unit.dispatch.test_commands import ANSWER, RETURN, answered_by, in_state
from tests.unit.notifier.builders import NOON, a_claimed, an_id, forwarded
from tests.unit.sla_monitor.builders import PLANNER, History, a_report, wib
from triage.domain.queue_order import queue_time
from tuntas_contracts.cases import CaseReturned
from tuntas_contracts.refusal import Refusal
from tuntas_contracts.vocabulary import CaseState, Clock
from tuntas_reference.calendar_files import load_calendar
from tuntas_reference.profile import DEFAULT_PROFILE, known_profiles, load_profile

OTHER: Final = "permenpan-2030"
MONDAY: Final = wib("2026-03-09 10:00")
LONGER: Final = {"C1": 5, "C2": 6, "C6": 12}
LIMITS: Final = {"supplements_a_day": 1, "bounces_before_arbitration": 3}


@pytest.fixture(autouse=True)
def _other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second profile beside the bundled one, with other lengths and limits."""
    bundled = json.loads(files("tuntas_reference").joinpath("data", "profiles", f"{DEFAULT_PROFILE}.json").read_text(encoding="utf-8"))
    other: dict[str, Any] = bundled | {"name": OTHER, "limits": bundled["limits"] | LIMITS}
    other["clocks"] = [clock | {"days": LONGER.get(clock["code"], clock["days"])} for clock in bundled["clocks"]]
    folder = tmp_path / "data" / "profiles"
    folder.mkdir(parents=True)
    for profile in (bundled, other):
        (folder / f"{profile['name']}.json").write_text(json.dumps(profile), encoding="utf-8")
    monkeypatch.setattr("tuntas_reference.profile.files", lambda _package: tmp_path)
    yield
    load_profile.cache_clear()


def test_both_are_known() -> None:
    assert set(known_profiles()) == {DEFAULT_PROFILE, OTHER}
    assert load_profile(OTHER).days("C1") == 5
    assert load_profile().days("C1") == 3


@pytest.mark.parametrize(("profile", "day"), [(DEFAULT_PROFILE, "2026-03-13"), (OTHER, "2026-03-17")])
def test_the_clock_of_the_national_queue_has_the_length_of_the_cases_profile(profile: str, day: str) -> None:
    state, _ = ClockMachine(PLANNER).on_event(None, History().received(MONDAY, profile=profile), 1)
    assert state is not None
    (run,) = state.running
    assert (run.clock, run.due_at) == (Clock.C1, wib(f"{day} 00:00"))


@pytest.mark.parametrize(("profile", "day"), [(DEFAULT_PROFILE, "2026-03-13"), (OTHER, "2026-03-18")])
def test_an_agencys_clock_has_it_too(profile: str, day: str) -> None:
    event = History().forwarded(MONDAY)
    event = event.model_copy(update={"report": a_report(MONDAY).model_copy(update={"profile": profile})})
    state, _ = ClockMachine(PLANNER).on_event(None, event, 1)
    assert state is not None
    (run,) = state.running
    assert (run.clock, run.due_at) == (Clock.C2, wib(f"{day} 00:00"))


def test_the_status_page_says_until_when_a_reply_is_possible_under_the_cases_profile() -> None:
    calendar = load_calendar()
    usual, longer = (reply_possible_until(calendar, profile, MONDAY, "Asia/Jakarta") for profile in (DEFAULT_PROFILE, OTHER))
    assert usual is not None
    assert longer is not None
    assert calendar.working_days_between(usual.date(), longer.date()) == 2


@pytest.mark.parametrize(("profile", "said"), [(DEFAULT_PROFILE, "paling lambat 3 hari kerja"), (OTHER, "paling lambat 6 hari kerja")])
def test_a_letter_names_the_lengths_of_the_cases_profile(profile: str, said: str) -> None:
    notice = notice_of(forwarded())
    assert notice is not None
    delivery = Delivery(an_id("x"), an_id("case"), notice.kind, notice.recipient, notice.agency, notice.variables, NOON)
    letter = MailTemplates().write(a_claimed(delivery, profile=profile), name="Siti", page="https://lapor.example/x")
    assert said in letter.text


def test_an_arbitration_is_queued_by_the_lengths_of_the_cases_profile() -> None:
    at = datetime(2026, 3, 9, 3, 0, tzinfo=UTC)
    usual, longer = (queue_time(at, profile, arbitration=True) for profile in (DEFAULT_PROFILE, OTHER))
    assert longer < usual
    assert usual - longer >= timedelta(days=2)


def test_dispatch_allows_what_the_cases_profile_allows() -> None:
    case = in_state(CaseState.DISPATCHED)._replace(profile=OTHER)
    once = answered_by(case, 60, 120)
    with pytest.raises(Refusal, match="1 times"):
        decide(once, ANSWER, dispatch.an_act(180), dispatch.UNITS[dispatch.BOGOR], NAMES)
    answered_by(once._replace(profile=DEFAULT_PROFILE), 180)


@pytest.mark.parametrize(("profile", "arbitration"), [(DEFAULT_PROFILE, True), (OTHER, False)])
def test_how_often_a_case_may_come_back_before_arbitration_is_the_cases_profiles(profile: str, arbitration: bool) -> None:
    case = dispatch.a_case()._replace(profile=profile, bounces=1)
    event = decide(case, RETURN, dispatch.an_act(), dispatch.UNITS[dispatch.BOGOR], NAMES)
    assert isinstance(event, CaseReturned)
    assert event.arbitration is arbitration
