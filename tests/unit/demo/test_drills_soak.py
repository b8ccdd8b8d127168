"""What a soak says of memory: growth after the first tenth, whatever single rounds show."""

import pytest

from tuntas_demo.drills.soak import Soak

MIB = 2**20


@pytest.mark.parametrize(
    ("samples", "growth"),
    [
        ([100] * 40, 0.0),
        ([50] * 4 + [100] * 36, 0.0),  # warming up belongs to the first tenth
        ([100] * 36 + [120] * 4, 0.2),
        ([100] * 37 + [300] + [100] * 2, 0.0),  # one round's peak is none
        ([100 + 5 * number for number in range(40)], (287.5 + 5) / 127.5 - 1),
    ],
)
def test_growth_is_that_of_the_last_tenth_over_the_second(samples: list[int], growth: float) -> None:
    soak = Soak(24, 1, memory={"intake": [sample * MIB for sample in samples]})
    assert soak.growth()["intake"] == pytest.approx(growth, abs=0.05)


def test_its_table_names_every_service_with_its_memory() -> None:
    soak = Soak(24, 1, memory={"intake": [100 * MIB] * 20, "triage": [50 * MIB] * 18 + [60 * MIB] * 2})
    heading, intake, triage = soak.lines()
    assert heading.split() == ["service", "after", "a", "tenth", "at", "the", "end", "growth"]
    assert intake.split() == ["intake", "100", "MiB", "100", "MiB", "0.0%"]
    assert triage.split() == ["triage", "50", "MiB", "60", "MiB", "20.0%"]
