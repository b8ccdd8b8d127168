"""Bulk statements: the SQL that declared columns give, their parameters, and what is refused when they are declared."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import pytest

from tuntas_chassis.persistence.bulk import BulkColumn, BulkColumns


class Note(NamedTuple):
    """An item whose values are attributes."""

    note_id: UUID
    remark: str
    words: tuple[str, ...] = ()


@dataclass
class Plain:
    """An item with fields that are no attributes of its class."""

    remark: str


ONE, TWO = Note(UUID(int=1), "one"), Note(UUID(int=2), "two", ("a", "b"))
NOTES = BulkColumns(
    Note,
    BulkColumn("id", "uuid", lambda note: note.note_id, fixed=True),
    BulkColumn("remark", "text"),
    BulkColumn("words", "text", lambda note: "{" + ",".join(note.words) + "}", cast="text[]"),
)


def test_the_fragments_of_a_statement() -> None:
    assert NOTES.names == "id, remark, words"
    assert NOTES.unnest == "unnest(CAST(:id AS uuid[]), CAST(:remark AS text[]), CAST(:words AS text[]))"
    assert NOTES.values == "id, remark, CAST(words AS text[])"
    assert NOTES.changes() == "remark = EXCLUDED.remark, words = EXCLUDED.words"


def test_a_statement_is_its_text_with_the_fragments() -> None:
    insert = NOTES.statement("INSERT INTO note ({names}, extra) SELECT {values}, '{{}}' FROM {unnest} AS x ({names})")
    assert insert.text == (
        "INSERT INTO note (id, remark, words, extra) SELECT id, remark, CAST(words AS text[]), '{}' "
        "FROM unnest(CAST(:id AS uuid[]), CAST(:remark AS text[]), CAST(:words AS text[])) AS x (id, remark, words)"
    )
    update = NOTES.without("words").statement("UPDATE note SET {changes} FROM {unnest} AS x ({names})", changes_from="x")
    assert update.text == ("UPDATE note SET remark = x.remark FROM unnest(CAST(:id AS uuid[]), CAST(:remark AS text[])) AS x (id, remark)")


def test_the_parameters_of_a_statement_are_the_arrays() -> None:
    statement = NOTES.statement("SELECT {names} FROM {unnest} AS x ({names})")
    arrays = NOTES.arrays([ONE, TWO])
    assert arrays == {"id": [UUID(int=1), UUID(int=2)], "remark": ["one", "two"], "words": ["{}", "{a,b}"]}
    assert statement.compile().params.keys() == arrays.keys()


def test_no_items_are_empty_arrays() -> None:
    assert NOTES.arrays([]) == {"id": [], "remark": [], "words": []}


def test_items_may_be_the_values_of_a_mapping() -> None:
    assert NOTES.without("words").arrays({1: TWO, 2: ONE}.values()) == {"id": [UUID(int=2), UUID(int=1)], "remark": ["two", "one"]}


def test_a_plain_tuple_gives_its_values_by_place() -> None:
    pairs = BulkColumns(tuple[str, int], BulkColumn("name", "text"), BulkColumn("number", "integer"))
    assert pairs.arrays([("a", 1), ("b", 2)]) == {"name": ["a", "b"], "number": [1, 2]}
    assert pairs.without("name").arrays([("a", 1)]) == {"number": [1]}


def test_fields_of_a_plain_dataclass_are_found() -> None:
    assert BulkColumns(Plain, BulkColumn("remark", "text")).arrays([Plain("x")]) == {"remark": ["x"]}


def test_a_name_that_the_item_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="'remarks' needs `take`"):
        BulkColumns(Note, BulkColumn("remarks", "text"))
    with pytest.raises(ValueError, match="'second' needs `take`"):
        BulkColumns(tuple[str], BulkColumn("first", "text"), BulkColumn("second", "text"))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="declared twice: remark, remark"):
        BulkColumns(Note, BulkColumn("remark", "text"), BulkColumn("remark", "text"))


@pytest.mark.parametrize(
    ("name", "sql_type", "cast"),
    [
        ("", "text", None),
        ("Remark", "text", None),
        ("a; DROP TABLE note", "text", None),
        ("a", "text[]", None),
        ("a", "text)", None),
        ("a", "text", "jsonb) --"),
    ],
)
def test_what_may_not_be_put_into_a_statement_is_refused(name: str, sql_type: str, cast: str | None) -> None:
    with pytest.raises(ValueError, match="of a bulk column does not match"):
        BulkColumn[Note](name, sql_type, cast=cast)


def test_only_known_columns_can_be_left_out() -> None:
    with pytest.raises(ValueError, match="no bulk columns: other; there are id, remark, words"):
        NOTES.without("other")


@pytest.mark.parametrize("template", ["SELECT {columns}", "SELECT {}", "SELECT '{0}'", "SELECT '{"])
def test_another_placeholder_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="has the placeholders names, unnest, values, changes only"):
        NOTES.statement(template)
