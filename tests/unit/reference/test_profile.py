"""The regulation profile and the category tree hold the figures of the law and of the domain's tables."""

import json
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from tuntas_contracts.vocabulary import ArchiveReason, ServiceClass
from tuntas_reference.categories import Sector, UnknownCategoryError, load_categories
from tuntas_reference.profile import (
    DEFAULT_PROFILE,
    FIRST_CLOCKS,
    Anchor,
    ProfileLookupError,
    RegulationProfile,
    UnknownProfileError,
    WarningRule,
    load_profile,
)

NATIONAL, AGENCY, LIAISON = "national_administrator", "agency_administrator", "liaison_officer"
RESPONSIBLE, HEAD, SUPERVISOR, REPORTER = "responsible_officer", "head", "supervisor", "reporter"
ALL_BUT_SUPERVISOR = {LIAISON, AGENCY, RESPONSIBLE, HEAD, NATIONAL, REPORTER}


@pytest.fixture(scope="module")
def profile() -> RegulationProfile:
    return load_profile(DEFAULT_PROFILE)


def changed(profile: RegulationProfile, **fields: Any) -> RegulationProfile:
    return RegulationProfile.model_validate_json(json.dumps({**profile.model_dump(mode="json"), **fields}))


@pytest.mark.parametrize(
    ("code", "length", "unit", "kind"),
    [
        ("C1", 3, "working_days", "duty"),
        ("C2", 3, "working_days", "duty"),
        ("C3", 5, "working_days", "duty"),
        ("C6", 10, "working_days", "window"),
        ("C7", 30, "calendar_days", "window"),
        ("C8", 5, "working_days", "duty"),
        ("C9", 60, "calendar_days", "duty"),
        ("C10", 1, "working_days", "duty"),
        ("C11", 60, "calendar_days", "threshold"),
        ("C12", 10, "working_days", "window"),
        ("C13", 10, "working_days", "window"),
    ],
)
def test_clock_lengths(profile: RegulationProfile, code: str, length: int, unit: str, kind: str) -> None:
    clock = profile.clock(code)

    assert (profile.days(code), clock.unit.value, clock.kind.value) == (length, unit, kind)


@pytest.mark.parametrize(
    ("service_class", "limit", "checkpoint", "checkpoint_day"),
    [("information", 5, 3, 2), ("normative", 5, 3, 2), ("ordinary", 14, 8, 6), ("supervisory", 60, 35, 25)],
)
def test_completion_limits(profile: RegulationProfile, service_class: str, limit: int, checkpoint: int, checkpoint_day: int) -> None:
    of_class = ServiceClass(service_class)
    (warning,) = profile.clock("C5").warnings

    assert profile.days("C4", of_class) == profile.days("C5", of_class) == limit
    assert profile.clock("C4").unit == "working_days"
    assert profile.warning_days("C5", warning, of_class) == -checkpoint
    assert limit + profile.warning_days("C5", warning, of_class) == checkpoint_day
    assert warning.anchor is Anchor.END


def test_completion_needs_the_class_of_the_case(profile: RegulationProfile) -> None:
    with pytest.raises(ProfileLookupError, match="C4 depends on the service class"):
        profile.days("C4")
    with pytest.raises(ProfileLookupError, match="C5 depends on the service class"):
        profile.warning_days("C5", profile.clock("C5").warnings[0])


@pytest.mark.parametrize(
    ("code", "level", "anchor", "days", "moment", "recipients"),
    [
        ("C1", "reminder", "end", -1, "warning_hour", {NATIONAL}),
        ("C1", "missed", "end", 0, "end_of_day", {SUPERVISOR}),
        ("C2", "reminder", "end", -1, "warning_hour", {AGENCY}),
        ("C2", "missed", "end", 0, "end_of_day", {AGENCY, RESPONSIBLE, NATIONAL}),
        ("C3", "yellow", "start", 3, "end_of_day", {LIAISON, AGENCY}),
        ("C3", "red", "end", 0, "end_of_day", {LIAISON, AGENCY, RESPONSIBLE}),
        ("C4", "missed", "end", 0, "end_of_day", ALL_BUT_SUPERVISOR),
        ("C4", "escalated", "end", 5, "warning_hour", {NATIONAL, SUPERVISOR}),
        ("C5", "checkpoint", "end", "checkpoint", "warning_hour", {LIAISON, AGENCY, RESPONSIBLE}),
        ("C6", "reminder", "end", -3, "warning_hour", {REPORTER}),
        ("C7", "reminder", "end", -7, "warning_hour", {REPORTER}),
        ("C8", "missed", "end", 0, "end_of_day", ALL_BUT_SUPERVISOR),
        ("C9", "yellow", "end", -14, "warning_hour", {RESPONSIBLE, HEAD, NATIONAL}),
        ("C9", "missed", "end", 0, "end_of_day", {RESPONSIBLE, HEAD, NATIONAL}),
        ("C10", "missed", "end", 0, "end_of_day", {SUPERVISOR}),
        ("C11", "escalated", "end", 0, "end_of_day", {REPORTER}),
    ],
)
def test_warnings_and_escalation(
    profile: RegulationProfile, code: str, level: str, anchor: str, days: int | str, moment: str, recipients: set[str]
) -> None:
    warning = level_of(profile, code, level)

    assert (warning.anchor, warning.days, warning.moment) == (anchor, days, moment)
    assert set(warning.recipients) == recipients
    assert warning.is_deadline == (days == 0)


def level_of(profile: RegulationProfile, code: str, level: str) -> WarningRule:
    return next(warning for warning in profile.clock(code).warnings if warning.level == level)


def test_there_are_no_other_warnings(profile: RegulationProfile) -> None:
    assert [len(profile.clock(f"C{number}").warnings) for number in range(1, 14)] == [2, 2, 2, 2, 1, 1, 1, 1, 2, 1, 1, 0, 0]


def test_interventions_and_supervisors(profile: RegulationProfile) -> None:
    assert level_of(profile, "C4", "missed").intervention_by == RESPONSIBLE
    assert level_of(profile, "C8", "missed").intervention_by == RESPONSIBLE
    assert level_of(profile, "C4", "escalated").intervention_by == NATIONAL
    assert level_of(profile, "C4", "escalated").supervisor_tier == "next"
    assert level_of(profile, "C1", "missed").supervisor_tier == "national"
    assert level_of(profile, "C10", "missed").supervisor_tier == "national"


def test_pauses_and_zones(profile: RegulationProfile) -> None:
    both = ("awaiting_data", "force_majeure")
    pauses = {clock.code: clock.pauses_in for clock in profile.clocks if clock.pauses_in}

    assert pauses == {"C3": both, "C4": both, "C5": both, "C8": both, "C9": both[:1], "C11": both[:1]}
    assert {clock.code for clock in profile.clocks if clock.zone == "national"} == {"C1", "C10"}
    assert ZoneInfo(profile.national_time_zone).key == "Asia/Jakarta"
    assert profile.warning_hour == time(8, 0)


def test_every_clock_of_the_events_has_a_rule(profile: RegulationProfile) -> None:
    assert [clock for clock in FIRST_CLOCKS if profile.clock(clock).code != clock] == []
    with pytest.raises(ProfileLookupError, match="no clock 'C14'"):
        profile.clock("C14")


def test_case_limits(profile: RegulationProfile) -> None:
    assert profile.limits.bounces_before_arbitration == 2
    assert profile.limits.pause_calendar_days == 30
    assert (profile.limits.reopens, profile.limits.appeals) == (1, 1)
    assert profile.limits.reclassifications_to_supervisory == 1
    assert profile.limits.stale_complaint_calendar_days == 30


def test_archive_reasons_by_transition(profile: RegulationProfile) -> None:
    assert profile.archive_reasons_for("T9") == (ArchiveReason.DATA_NOT_COMPLETED,)
    assert profile.archive_reasons_for("T26") == (ArchiveReason.WITHDRAWN,)
    assert set(profile.archive_reasons_for("T23")) == {ArchiveReason.DUPLICATE, ArchiveReason.IN_COURT}
    given_by_hand = set(ArchiveReason) - {ArchiveReason.DATA_NOT_COMPLETED, ArchiveReason.WITHDRAWN}
    assert set(profile.archive_reasons_for("T13")) == given_by_hand
    assert profile.archive_reasons_for("T15") == ()
    assert [rule.code for rule in profile.archive_reasons if rule.links_case] == [ArchiveReason.DUPLICATE]


@pytest.mark.parametrize(
    ("category", "title", "body", "rule"),
    [
        ("health", "Wabah DBD di Cibinong", "Sudah 20 orang sakit", "epidemic"),
        ("health.epidemics", "Lapor", "diduga KEJADIAN\nluar  biasa campak", "epidemic"),
        ("health.epidemics", "klb", "", "epidemic"),
        ("other-strategic.disasters", "Gempa Cianjur", "Butuh tenda", "disaster"),
        ("health.hospitals", "Antrean lama", "Tidak ada dokter", None),
        ("health", "Sewabah", "klby", None),
        ("healthy", "wabah", "", None),
        ("environment", "wabah lalat", "", None),
        ("other-strategic", "gempa", "", None),
        (None, "wabah", "wabah", None),
    ],
)
def test_fast_track(profile: RegulationProfile, category: str | None, title: str, body: str, rule: str | None) -> None:
    found = profile.fast_track(category, title, body)

    assert (found.code if found else None) == rule


def test_a_disabled_fast_track_matches_nothing(profile: RegulationProfile) -> None:
    rules = [{**rule.model_dump(mode="json"), "enabled": False} for rule in profile.fast_tracks]

    assert changed(profile, fast_tracks=rules).fast_track("health", "wabah", "") is None


def test_fast_tracks_lie_in_the_category_tree(profile: RegulationProfile) -> None:
    wanted = [category for rule in profile.fast_tracks for category in rule.categories]

    assert [category for category in wanted if category not in load_categories()] == []


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownProfileError, match=r"'permen-5-2025'.*permenpan-62-2018"):
        load_profile("permen-5-2025")
    with pytest.raises(UnknownProfileError):
        load_profile("../categories")


def test_a_profile_is_read_once_and_cannot_be_changed(profile: RegulationProfile) -> None:
    assert load_profile(DEFAULT_PROFILE) is profile
    with pytest.raises(ValidationError):
        profile.version = 2  # type: ignore[misc]


def test_a_profile_that_lacks_something_is_refused(profile: RegulationProfile) -> None:
    data = profile.model_dump(mode="json")
    fast = data["fast_tracks"][0]
    c4 = next(clock for clock in data["clocks"] if clock["code"] == "C4")
    for fields, says in (
        ({"clocks": data["clocks"][:-1]}, "clocks must be"),
        ({"clocks": [*data["clocks"], c4]}, "clocks must be"),
        ({"archive_reasons": data["archive_reasons"][1:]}, "archive reasons must be"),
        ({"service_classes": data["service_classes"][1:]}, "service classes must be"),
        ({"fast_tracks": [{**fast, "completion_working_days": 15}]}, "looser than class ordinary"),
        ({"fast_tracks": [{**fast, "first_follow_up_working_days": 6}]}, "looser than C3"),
        ({"fast_tracks": [fast, fast]}, "same code"),
        ({"misspelt": 1}, "misspelt"),
    ):
        with pytest.raises(ValidationError, match=says):
            changed(profile, **fields)


def test_a_profile_need_not_have_clocks_that_came_after_it(profile: RegulationProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    data = profile.model_dump(mode="json")
    monkeypatch.setattr("tuntas_reference.profile.FIRST_CLOCKS", FIRST_CLOCKS[:-1])
    earlier = changed(profile, clocks=data["clocks"][:-1])
    assert (earlier.has_clock("C12"), earlier.has_clock("C13")) == (True, False)
    assert changed(profile).has_clock("C13")


def test_the_roots_of_the_category_tree_are_the_sectors_of_the_law() -> None:
    tree = load_categories()

    assert [root.code for root in tree.roots] == [sector.value for sector in Sector]
    assert len(tree.roots) == 13 + 1  # art. 5 (2) names thirteen "and other strategic sectors"
    assert [root.code for root in tree.roots if not 3 <= len(root.children) <= 8] == []


def test_a_category_is_found_with_both_names_and_its_sector() -> None:
    roads = load_categories().get("transport.roads")

    assert (roads.name.id, roads.name.en, roads.sector) == ("Jalan dan jembatan", "Roads and bridges", "transport")
    assert "transport.roads" in load_categories()
    assert "transport.rockets" not in load_categories()
    with pytest.raises(UnknownCategoryError, match=r"transport\.rockets"):
        load_categories().get("transport.rockets")
