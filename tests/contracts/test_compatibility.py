"""Each kind of schema change gets the verdict that a reader of the messages would give it."""

from typing import Any

import pytest

from tuntas_tools.contracts.compatibility import Difference, Verdict, compare, compare_all, is_compatible

OLD, NEW, FINE, OPEN = Verdict.BREAKS_OLD_READERS, Verdict.BREAKS_NEW_READERS, Verdict.COMPATIBLE, Verdict.UNCLASSIFIED
TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "number"}
INTEGER: dict[str, Any] = {"type": "integer"}


def fields(*, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def verdicts(old: Any, new: Any) -> set[tuple[str, Verdict]]:
    return {(difference.path, difference.verdict) for difference in compare(old, new)}


CASES: dict[str, tuple[Any, Any, set[tuple[str, Verdict]]]] = {
    # fields
    "nothing": (fields(a=TEXT), fields(a=TEXT), set()),
    "optional field added": (fields(a=TEXT), fields(a=TEXT, b=optional(TEXT)), {("$.b", FINE)}),
    "required field added": (fields(a=TEXT), fields(a=TEXT, b=TEXT, required=("b",)), {("$.b", NEW)}),
    "optional field removed": (fields(a=TEXT, b=TEXT), fields(a=TEXT), {("$.b", FINE)}),
    "required field removed": (fields(a=TEXT, required=("a",)), fields(), {("$.a", OLD)}),
    "field renamed": (
        fields(a=TEXT, required=("a",)),
        fields(b=TEXT, required=("b",)),
        {("$.a", OLD), ("$.b", NEW)},
    ),
    "made required": (fields(a=TEXT), fields(a=TEXT, required=("a",)), {("$.a", NEW)}),
    "made optional": (fields(a=TEXT, required=("a",)), fields(a=TEXT), {("$.a", OLD)}),
    "made nullable": (fields(a=TEXT, required=("a",)), fields(a=optional(TEXT), required=("a",)), {("$.a", OLD)}),
    "no longer nullable": (fields(a=optional(TEXT), required=("a",)), fields(a=TEXT, required=("a",)), {("$.a", NEW)}),
    "default changed": (
        fields(a={"type": "boolean", "default": False}),
        fields(a={"type": "boolean", "default": True}),
        {("$.a", NEW), ("$.a", OLD)},
    ),
    "order of fields": (fields(a=TEXT, b=NUMBER), fields(b=NUMBER, a=TEXT), set()),
    "description": ({**TEXT, "description": "a"}, {**TEXT, "description": "b"}, {("$", FINE)}),
    "nested field": (
        fields(report=fields(title=TEXT, required=("title",))),
        fields(report=fields(title=NUMBER, required=("title",))),
        {("$.report.title", NEW), ("$.report.title", OLD)},
    ),
    # types
    "another type": (TEXT, NUMBER, {("$", NEW), ("$", OLD)}),
    "integer to number": (INTEGER, NUMBER, {("$", OLD)}),
    "number to integer": (NUMBER, INTEGER, {("$", NEW)}),
    "type list and anyOf": ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}, {("$", FINE)}),
    "alternatives in another order": ({"anyOf": [TEXT, INTEGER]}, {"anyOf": [INTEGER, TEXT]}, {("$", FINE)}),
    "one more alternative": ({"anyOf": [TEXT, INTEGER]}, {"anyOf": [TEXT, INTEGER, {"type": "boolean"}]}, {("$", OLD)}),
    "anything to text": ({}, TEXT, {("$", NEW)}),
    "never to text": (False, TEXT, {("$", OLD)}),
    "exclusive alternatives": ({"oneOf": [TEXT, INTEGER]}, {"anyOf": [TEXT, INTEGER]}, {("$", FINE)}),
    "overlapping oneOf": ({"oneOf": [NUMBER, INTEGER]}, {"anyOf": [NUMBER, INTEGER]}, {("$", OPEN)}),
    # references
    "reference to the same": (
        {"$ref": "#/$defs/A", "$defs": {"A": TEXT}},
        {"$ref": "#/$defs/B", "$defs": {"B": TEXT}},
        {("$", FINE)},
    ),
    "reference inlined": (
        fields(a={"$ref": "#/$defs/A"}) | {"$defs": {"A": {**TEXT, "maxLength": 5}}},
        fields(a={**TEXT, "maxLength": 5}),
        {("$", FINE)},
    ),
    "definition changed": (
        fields(a={"$ref": "#/$defs/A", "description": "x"}) | {"$defs": {"A": {**TEXT, "maxLength": 5}}},
        fields(a={"$ref": "#/$defs/A", "description": "x"}) | {"$defs": {"A": {**TEXT, "maxLength": 6}}},
        {("$.a", OLD)},
    ),
    "recursive": (
        {"$ref": "#/$defs/T", "$defs": {"T": fields(name=TEXT, children={"type": "array", "items": {"$ref": "#/$defs/T"}})}},
        {"$ref": "#/$defs/T", "$defs": {"T": fields(name=INTEGER, children={"type": "array", "items": {"$ref": "#/$defs/T"}})}},
        {("$.name", NEW), ("$.name", OLD)},
    ),
    "reference to elsewhere": ({"$ref": "other.json"}, {"$ref": "another.json"}, {("$", OPEN)}),
    "one allOf": ({"allOf": [TEXT], "description": "x"}, {**TEXT, "description": "x"}, {("$", FINE)}),
    # values
    "value added": ({"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}, {("$", OLD)}),
    "value removed": ({"enum": ["a", "b"]}, {"enum": ["a"]}, {("$", NEW)}),
    "values in another order": ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, {("$", FINE)}),
    "constant changed": ({"const": "a"}, {"const": "b"}, {("$", NEW), ("$", OLD)}),
    "constant to list": ({"const": "a"}, {"enum": ["a"]}, {("$", FINE)}),
    "list to text": ({"enum": ["a"], "type": "string"}, TEXT, {("$", OLD)}),
    "list in a definition behind null": (
        {"anyOf": [{"$ref": "#/$defs/R"}, {"type": "null"}], "$defs": {"R": {"enum": ["a"], "type": "string"}}},
        {"anyOf": [{"$ref": "#/$defs/R"}, {"type": "null"}], "$defs": {"R": {"enum": ["a", "z"], "type": "string"}}},
        {("$", OLD)},
    ),
    "list to format": ({"enum": ["2026-03-02"]}, {**TEXT, "format": "date"}, {("$", OPEN), ("$", OLD)}),
    "list opened": ({"enum": ["a"]}, {"anyOf": [{"enum": ["a"]}, TEXT]}, {("$", OLD)}),
    "open list closed": ({"anyOf": [{"enum": ["a"]}, TEXT]}, {"enum": ["a"]}, {("$", NEW)}),
    # bounds
    "longer allowed": ({**TEXT, "maxLength": 200}, {**TEXT, "maxLength": 300}, {("$", OLD)}),
    "shorter allowed": ({**TEXT, "maxLength": 300}, {**TEXT, "maxLength": 200}, {("$", NEW)}),
    "length now limited": (TEXT, {**TEXT, "maxLength": 200}, {("$", NEW)}),
    "empty refused": (TEXT, {**TEXT, "minLength": 1}, {("$", NEW)}),
    "minimum lowered": ({**INTEGER, "minimum": 1}, {**INTEGER, "minimum": 0}, {("$", OLD)}),
    "same bound otherwise": ({**INTEGER, "minimum": 1}, {**INTEGER, "exclusiveMinimum": 0}, {("$", FINE)}),
    "bound now exclusive": ({**NUMBER, "maximum": 5}, {**NUMBER, "exclusiveMaximum": 5}, {("$", NEW)}),
    "multiples": ({**NUMBER, "multipleOf": 0.1}, {**NUMBER, "multipleOf": 0.3}, {("$", NEW)}),
    "more items": ({"type": "array", "maxItems": 3}, {"type": "array", "maxItems": 4}, {("$", OLD)}),
    "items unique": ({"type": "array", "items": TEXT}, {"type": "array", "items": TEXT, "uniqueItems": True}, {("$", NEW)}),
    "item type": ({"type": "array", "items": TEXT}, {"type": "array", "items": INTEGER}, {("$[*]", NEW), ("$[*]", OLD)}),
    "fixed items": (
        {"type": "array", "prefixItems": [TEXT], "items": False},
        {"type": "array", "prefixItems": [TEXT, TEXT], "items": False},
        {("$[1]", OLD)},
    ),
    # formats and patterns
    "format added": (TEXT, {**TEXT, "format": "uuid"}, {("$", NEW)}),
    "format removed": ({**TEXT, "format": "uuid"}, TEXT, {("$", OLD)}),
    "format changed": ({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}, {("$", NEW), ("$", OLD)}),
    "strange format": ({**TEXT, "format": "uri"}, {**TEXT, "format": "iri"}, {("$", OPEN)}),
    "pattern changed": ({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^b"}, {("$", OPEN)}),
    "pattern added": (TEXT, {**TEXT, "pattern": "^a"}, {("$", NEW)}),
    # other fields
    "closed": (fields(a=TEXT), {**fields(a=TEXT), "additionalProperties": False}, {("$", FINE)}),
    "field added to a closed one": (
        {**fields(a=TEXT), "additionalProperties": False},
        {**fields(a=TEXT, b=TEXT), "additionalProperties": False},
        {("$.b", OLD)},
    ),
    "mapping's values": (
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": NUMBER},
        {("$.*", OLD)},
    ),
    "mapping gets a named field": (
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": INTEGER},
        {("$.a", NEW), ("$.a", OLD)},
    ),
    "names of a mapping": (
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": TEXT, "propertyNames": {"maxLength": 3}},
        {("$.~name", NEW)},
    ),
    # what nobody here understands
    "unknown keyword": (TEXT, {**TEXT, "x-rule": 1}, {("$", OPEN)}),
    "same unknown keyword": ({**TEXT, "not": {"const": "a"}}, {**TEXT, "not": {"const": "a"}, "maxLength": 4}, {("$", NEW)}),
    "condition": (
        {**fields(a=TEXT), "if": {"required": ["a"]}, "then": {"minProperties": 1}},
        {**fields(a=TEXT), "if": {"required": ["a"]}, "then": {"minProperties": 2}},
        {("$", OPEN)},
    ),
    "patterned names": (
        {"type": "object", "properties": {}, "patternProperties": {"^a": TEXT}},
        {"type": "object", "properties": {"ab": INTEGER}, "patternProperties": {"^a": TEXT}},
        {("$", OPEN), ("$.ab", FINE)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_change_has_its_verdict(name: str) -> None:
    old, new, expected = CASES[name]
    assert verdicts(old, new) == expected


@pytest.mark.parametrize("name", CASES)
def test_turned_round_the_verdicts_are_turned_round(name: str) -> None:
    old, new, expected = CASES[name]
    turned = {OLD: NEW, NEW: OLD, OPEN: OPEN}
    breaking = {(path, turned[verdict]) for path, verdict in expected if verdict is not FINE}
    assert {found for found in verdicts(new, old) if found[1] is not FINE} == breaking


def test_text_says_where_what_and_for_whom() -> None:
    old = fields(state={"enum": ["received", "closed"]}, required=("state",))
    new = fields(state={"enum": ["received", "closed", "reopened"]}, required=("state",))
    assert [str(difference) for difference in compare(old, new)] == [
        '$.state: breaking for old readers: "reopened" may be written, but old readers do not know it'
    ]


def test_text_of_a_bound_names_both_sides() -> None:
    (difference,) = compare({**TEXT, "maxLength": 20_000}, {**TEXT, "maxLength": 2_000})
    assert difference.text == "up to 20,000 characters may be written, but new readers take at most 2,000"


def test_only_compatible_differences_may_be_released() -> None:
    assert is_compatible(compare(fields(), fields(a=optional(TEXT))))
    for old, new, expected in CASES.values():
        assert is_compatible(compare(old, new)) == all(verdict is FINE for _, verdict in expected)


def test_a_type_may_come_but_not_go() -> None:
    found = compare_all({"Gone": TEXT, "Kept": TEXT}, {"Come": TEXT, "Kept": TEXT})
    assert {name: [d.verdict for d in differences] for name, differences in found.items()} == {"Gone": [NEW], "Come": [FINE]}


def test_differences_are_sorted_and_told_once() -> None:
    old = fields(b=TEXT, a={"anyOf": [TEXT, INTEGER]})
    new = fields(b=INTEGER, a={"anyOf": [TEXT, NUMBER, {"type": "boolean"}]})
    found = compare(old, new)
    assert found == sorted(found)
    assert len(found) == len(set(found))
    assert all(isinstance(difference, Difference) for difference in found)


def open_list(*known: str, nullable: bool = False) -> dict[str, Any]:
    return {"anyOf": [{"enum": list(known)}, {**TEXT, "maxLength": 9}, *([{"type": "null"}] if nullable else [])]}


@pytest.mark.parametrize("nullable", [False, True], ids=["required", "nullable"])
def test_an_open_list_may_grow_and_never_shrink(nullable: bool) -> None:
    small, large = open_list("a", nullable=nullable), open_list("a", "b", nullable=nullable)
    assert verdicts(small, large) == {("$", FINE)}
    assert verdicts(large, small) == {("$", NEW)}, "what was known is read as any text"
