"""Wrong access codes are counted by source and in all, in bounded memory."""

from intake.domain.wrong_tries import IN_ALL, MAX_SOURCES, PER_SOURCE, WINDOW_S, WrongTries


def test_a_source_must_wait_after_its_tries_and_others_are_not() -> None:
    tries = WrongTries()
    assert [tries.add("10.0.0.1", 5.0) for _ in range(PER_SOURCE + 1)] == [False] * PER_SOURCE + [True]
    assert not tries.add("10.0.0.2", 5.0)


def test_after_the_window_a_source_begins_anew() -> None:
    tries = WrongTries()
    for _ in range(PER_SOURCE + 5):
        tries.add("10.0.0.1", 5.0)
    assert tries.add("10.0.0.1", 5.0 + WINDOW_S - 0.1)
    assert not tries.add("10.0.0.1", 5.0 + WINDOW_S)


def test_all_together_are_limited_however_many_sources_there_are() -> None:
    tries = WrongTries()
    assert not any(tries.add(f"source {number}", 5.0) for number in range(IN_ALL))
    assert tries.add("one more", 5.0)
    assert not tries.add("one more", 5.0 + WINDOW_S)


def test_no_more_sources_are_remembered_than_there_is_room_for() -> None:
    tries = WrongTries()
    for number in range(MAX_SOURCES + 500):
        tries.add(f"source {number}", 5.0)
    assert tries.sources == MAX_SOURCES
