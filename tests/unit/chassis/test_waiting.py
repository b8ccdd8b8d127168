"""How long a loop waits for more before its next look."""

import pytest

from tuntas_chassis.waiting import linger_s


def test_it_hardly_waits_where_little_comes_and_longer_where_it_is_crowded() -> None:
    assert linger_s(0, 150) == 0
    assert linger_s(1, 150) < 0.007
    assert linger_s(25, 150) == pytest.approx(0.15, rel=0.05)
    assert linger_s(200, 150) == pytest.approx(0.1875)
    assert linger_s(800, 150) == linger_s(2_000, 150) == pytest.approx(0.3)
    assert linger_s(800, 0) == 0
