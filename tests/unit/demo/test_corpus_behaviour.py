"""How the players of the demo behave: the same for the same case, in plausible shares, some of them late."""

from collections import Counter

import pytest

from tuntas_contracts.vocabulary import ArchiveReason, ServiceClass
from tuntas_demo.corpus import Hint
from tuntas_demo.corpus.behaviour import (
    FOLLOW_UP_LIMIT,
    LIMITS,
    VERIFICATION_LIMIT,
    Act,
    Pace,
    agency_character,
    agency_decision,
    liaison_decision,
    reporter_decision,
    verifier_decision,
)

SEED = 5
CASES = range(1, 3001)
AGENCIES = [f"kab-{number:03d}" for number in range(300)]


def agency_of(case: int) -> str:
    return AGENCIES[case % len(AGENCIES)]


def agencies_of(pace: Pace) -> list[str]:
    return [agency for agency in AGENCIES if agency_character(SEED, agency).pace is pace]


def test_a_decision_is_the_same_every_time_and_depends_on_seed_case_and_agency() -> None:
    def all_of(seed: int, case: int, agency: str) -> tuple[object, ...]:
        return (
            verifier_decision(seed, case, agency),
            agency_decision(seed, case, agency),
            liaison_decision(seed, case, agency),
            reporter_decision(seed, case, agency),
        )

    base = [all_of(SEED, case, "kab-001") for case in range(50)]
    assert base == [all_of(SEED, case, "kab-001") for case in range(50)]
    assert base != [all_of(SEED + 1, case, "kab-001") for case in range(50)]
    assert base != [all_of(SEED, case + 50, "kab-001") for case in range(50)]
    assert base != [all_of(SEED, case, "kab-002") for case in range(50)]


def test_the_verifier_routes_rightly_nine_in_ten() -> None:
    acts = Counter(verifier_decision(SEED, case, agency_of(case)).act for case in CASES)
    assert 0.90 <= acts[Act.ROUTE] / len(CASES) <= 0.94
    assert 0.04 <= acts[Act.ROUTE_WRONGLY] / len(CASES) <= 0.08
    assert 0.01 <= acts[Act.ARCHIVE] / len(CASES) <= 0.03


def test_spam_is_archived_and_a_real_report_never() -> None:
    spam = Hint(right_agency="kab-001", archive_reason=ArchiveReason.SPAM)
    real = Hint(right_agency="kab-001")
    assert all(verifier_decision(SEED, case, "kab-001", spam).archive_reason is ArchiveReason.SPAM for case in range(50))
    assert all(agency_decision(SEED, case, "kab-001", spam).archive_reason is ArchiveReason.SPAM for case in range(50))
    assert not any(verifier_decision(SEED, case, "kab-001", real).act is Act.ARCHIVE for case in range(500))


def test_an_archive_has_a_reason_and_nothing_else_has() -> None:
    for case in CASES:
        decision = verifier_decision(SEED, case, agency_of(case))
        assert (decision.act is Act.ARCHIVE) == (decision.archive_reason is not None)


def test_an_agency_returns_what_is_not_its_own_and_keeps_what_is() -> None:
    elsewhere = Counter(agency_decision(SEED, case, agency_of(case), Hint(right_agency="another")).act for case in CASES)
    own = Counter(agency_decision(SEED, case, agency_of(case), Hint(right_agency=agency_of(case))).act for case in CASES)
    assert elsewhere[Act.RETURN] / len(CASES) > 0.85
    assert own[Act.RETURN] / len(CASES) < 0.05
    assert own[Act.ACCEPT] > own[Act.HANDLE] > 0


@pytest.mark.parametrize("service_class", list(ServiceClass))
def test_the_flags_lead_to_the_class_that_the_case_has(service_class: ServiceClass) -> None:
    for case in range(200):
        decision = agency_decision(SEED, case, "kab-001", Hint("kab-001", service_class))
        if decision.act is Act.RETURN:
            continue
        supervisory = decision.supervision_content and decision.field_inspection
        assert supervisory == (service_class is ServiceClass.SUPERVISORY)
        assert decision.normative == (service_class is ServiceClass.NORMATIVE)


def test_the_diligent_keep_their_clocks_and_the_negligent_miss_many() -> None:
    def late(pace: Pace) -> float:
        decided = [liaison_decision(SEED, case, agency) for agency in agencies_of(pace) for case in range(30)]
        return sum(d.answer is None or d.answer > LIMITS[ServiceClass.ORDINARY] for d in decided) / len(decided)

    assert late(Pace.DILIGENT) == 0
    assert late(Pace.DILIGENT) < late(Pace.ORDINARY) < late(Pace.SLOW) < late(Pace.NEGLIGENT)
    assert late(Pace.NEGLIGENT) > 0.5


def test_all_clocks_are_missed_now_and_then_but_mostly_kept() -> None:
    verifiers = sum(verifier_decision(SEED, case, agency_of(case)).working_days > VERIFICATION_LIMIT for case in CASES)
    agencies = sum(agency_decision(SEED, case, agency_of(case)).working_days > VERIFICATION_LIMIT for case in CASES)
    liaisons = [liaison_decision(SEED, case, agency_of(case)) for case in CASES]
    follow_ups = sum(d.follow_up is None or d.follow_up > FOLLOW_UP_LIMIT for d in liaisons)
    for missed in (verifiers, agencies, follow_ups):
        assert 0.005 < missed / len(CASES) < 0.25


def test_a_follow_up_never_comes_after_the_answer() -> None:
    for case in CASES:
        decision = liaison_decision(SEED, case, agency_of(case))
        if decision.answer is not None:
            assert decision.follow_up is not None
            assert 0 <= decision.follow_up <= decision.answer


def test_most_reporters_stay_silent_and_who_acts_does_so_in_time() -> None:
    decided = [reporter_decision(SEED, case, agency_of(case)) for case in CASES]
    acts = Counter(decision.act for decision in decided)
    assert acts[Act.STAY_SILENT] > len(CASES) / 2
    assert acts[Act.CONFIRM] > acts[Act.REPLY] > 0
    for decision in decided:
        assert (decision.rating in range(1, 6)) == (decision.act is Act.CONFIRM)
        assert decision.working_days < 10
    assert {decision.rating for decision in decided} == {None, 1, 2, 3, 4, 5}


def test_fewer_reply_to_a_second_answer() -> None:
    first = sum(reporter_decision(SEED, case, agency_of(case)).act is Act.REPLY for case in CASES)
    second = sum(reporter_decision(SEED, case, agency_of(case), answers=2).act is Act.REPLY for case in CASES)
    assert second < first / 2


def test_some_agencies_act_by_their_own_system() -> None:
    systems = sum(agency_character(SEED, agency).own_system for agency in AGENCIES)
    assert 0.15 < systems / len(AGENCIES) < 0.35
