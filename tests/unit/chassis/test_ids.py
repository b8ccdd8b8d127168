"""UUIDv7 (RFC 9562), and ids that follow from what caused them."""

from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from tuntas_chassis.ids import derive_id, new_id

parts = st.lists(st.text(max_size=20) | st.integers(), max_size=4)


def _milliseconds(identity: UUID) -> int:
    return identity.int >> 80


def test_new_ids_are_version_7_bear_the_time_and_grow() -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    made = [new_id() for _ in range(1000)]
    after = int(datetime.now(UTC).timestamp() * 1000)
    assert {(i.version, i.variant) for i in made} == {(7, RFC_4122)}
    assert all(before <= _milliseconds(i) <= after for i in made)
    assert len(set(made)) == 1000
    assert made == sorted(made)


@given(st.uuids(), parts)
def test_a_derived_id_has_the_layout_of_version_7_and_the_time_of_its_cause(cause: UUID, words: list[str | int]) -> None:
    derived = derive_id(cause, *words)
    assert (derived.version, derived.variant) == (7, RFC_4122)
    assert _milliseconds(derived) == _milliseconds(cause)


@given(st.uuids(), parts)
def test_the_same_cause_and_words_give_the_same_id(cause: UUID, words: list[str | int]) -> None:
    assert derive_id(cause, *words) == derive_id(UUID(str(cause)), *words)


def test_the_derivation_never_changes() -> None:
    """A new release must give the ids that the old one gave, or a restored database would publish everything twice."""
    assert derive_id(UUID("01890000-0000-7000-8000-000000000001"), "cases", 0, "CaseForwarded") == UUID(
        "01890000-0000-7b96-83fa-ff042841cf18"
    )


@given(st.uuids(), st.uuids(), st.integers(0, 50), st.integers(0, 50))
def test_other_causes_and_other_words_give_other_ids(cause: UUID, other: UUID, n: int, m: int) -> None:
    assume(cause != other)
    assert derive_id(cause, "cases", n) != derive_id(other, "cases", n)
    assert (derive_id(cause, "cases", n) == derive_id(cause, "cases", m)) == (n == m)
    assert derive_id(cause, "cases", n) != derive_id(cause, "actions", n)
