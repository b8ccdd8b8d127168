"""Where the comparison finds nothing against it, whatever the one side may write is valid for the other."""

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.contracts.schema_data import pairs, schemas, written
from tuntas_tools.contracts.compatibility import Verdict, compare
from tuntas_tools.contracts.findings import Kind, Parties
from tuntas_tools.contracts.reading import Reading

thorough = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _valid(schema: Any, value: Any) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))


@thorough
@given(pair=pairs(), data=st.data())
def test_old_messages_are_valid_for_new_readers_unless_it_is_said(pair: tuple[Any, Any], data: st.DataObject) -> None:
    old, new = pair
    assume(not {d.verdict for d in compare(old, new)} & {Verdict.BREAKS_NEW_READERS, Verdict.UNCLASSIFIED})
    message = data.draw(written(old))
    assume(_valid(old, message))
    assert _valid(new, message)


@thorough
@given(pair=pairs(), data=st.data())
def test_new_messages_are_valid_for_old_readers_unless_it_is_said(pair: tuple[Any, Any], data: st.DataObject) -> None:
    old, new = pair
    assume(not {d.verdict for d in compare(old, new)} & {Verdict.BREAKS_OLD_READERS, Verdict.UNCLASSIFIED})
    message = data.draw(written(new))
    assume(_valid(new, message))
    assert _valid(old, message)


@thorough
@given(schema=schemas)
def test_a_schema_is_compatible_with_itself(schema: Any) -> None:
    assert compare(schema, schema) == []


@thorough
@given(pair=pairs(), data=st.data())
def test_a_difference_that_breaks_is_found(pair: tuple[Any, Any], data: st.DataObject) -> None:
    old, new = pair
    message = data.draw(written(old))
    assume(_valid(old, message) and not _valid(new, message))
    findings = Reading(old, new, Parties("old messages", "new readers")).findings()
    assert [finding for finding in findings if finding.kind is not Kind.NOTE]
