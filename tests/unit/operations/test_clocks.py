"""When two clocks are called skewed: never for the time that a question takes."""

import pytest

from tuntas_operations.doctor.clocks import skew_finding


@pytest.mark.parametrize(
    ("there", "status"),
    [
        (100.0, "ok"),
        (103.0, "ok"),  # anywhere between question and answer
        (105.9, "ok"),
        (106.2, "wrong"),
        (99.1, "ok"),
        (98.9, "wrong"),
    ],
)
def test_a_clock_is_judged_by_times_it_can_t_have_shown(there: float, status: str) -> None:
    assert skew_finding("clock", there, before=100.0, after=105.0).status == status


def test_a_clock_of_whole_seconds_is_judged_within_one_second() -> None:
    assert skew_finding("clock", 98.0, before=99.9, after=99.95, resolution_s=1.0).status == "ok"
    assert skew_finding("clock", 97.0, before=99.9, after=99.95, resolution_s=1.0).status == "wrong"


def test_it_says_how_far_and_which_way() -> None:
    assert "is 60.0 s ahead of this machine's" in skew_finding("clock", 165.0, before=100.0, after=105.0).found
    assert "is 40.0 s behind this machine's" in skew_finding("clock", 60.0, before=100.0, after=105.0).found
