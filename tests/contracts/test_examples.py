"""Golden examples: every message type has them, and the models of today read them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.contracts.checkout import CHECKOUT
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import Contract
from tuntas_contracts.topology import message_types
from tuntas_tools.contracts.examples import GoldenExample, UnreadableExample, read_examples
from tuntas_tools.contracts.schemas import schema_of

EXAMPLES = list(read_examples(CHECKOUT.examples))
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.type}/{e.name}")


@pytest.mark.parametrize("name", sorted(message_types()))
def test_every_type_has_a_minimal_and_a_full_example(name: str) -> None:
    assert {"minimal", "full"} <= {example.name for example in EXAMPLES if example.type == name}


@each_example
def test_it_is_a_known_type_under_a_valid_envelope(example: GoldenExample) -> None:
    envelope = example.envelope()
    assert envelope.type == example.type
    assert envelope.type in message_types()
    assert envelope.subject == (example.key or "")
    assert dict(envelope.headers()) == {name: value.encode() for name, value in example.headers.items()}


@each_example
def test_it_survives_a_round_trip(example: GoldenExample) -> None:
    body = example.body()
    again = type(body).model_validate_json(body.model_dump_json())
    assert again == body
    assert _without_defaults(example.data, json.loads(body.model_dump_json())) == example.data


@each_example
def test_fields_of_the_future_are_passed_over(example: GoldenExample) -> None:
    assert _read(example, _with_strange_fields(example.data)) == example.body()


@each_example
def test_it_is_valid_under_the_published_schema(example: GoldenExample) -> None:
    faults = [error.message for error in Draft202012Validator(schema_of(type(example.body()))).iter_errors(example.data)]
    assert faults == []


@each_example
def test_its_envelope_belongs_to_its_body(example: GoldenExample) -> None:
    told = example.data.get("case_id")
    if told is not None:
        assert example.key == told
    at = getattr(example.body(), "occurred_at", None)
    if at is not None:
        assert example.envelope().time == at


@pytest.mark.parametrize("name", sorted(message_types()))
def test_minimal_has_only_what_is_required_and_one_example_has_everything(name: str) -> None:
    kind = message_types()[name]
    required = {field for field, info in kind.model_fields.items() if info.is_required()}
    data = {example.name: example.data for example in EXAMPLES if example.type == name}
    # The transition makes an event of the owner what it is, though some models let it be empty.
    assert set(data["minimal"]) - {"transition"} == required - {"transition"}
    # "full" as long as nothing was added; a released example is never changed, so what came later stands in another
    assert set(kind.model_fields) in [set(example) for example in data.values()]


def test_no_example_holds_personal_data() -> None:
    for example in EXAMPLES:
        text = json.dumps(example.data, ensure_ascii=False)
        addresses = {word for word in text.replace('"', " ").split() if "@" in word and not word.strip("<>,.").endswith(".example")}
        assert not addresses, f"{example.type}/{example.name}"
        assert not _long_numbers(example.data), f"{example.type}/{example.name}: a number as long as a NIK or a phone number"


def test_commands_of_agencies_come_from_agencies() -> None:
    commands = [e for e in EXAMPLES if issubclass(message_types()[e.type], AgencyCommand)]
    assert commands
    assert all(example.envelope().source.startswith("agency/") for example in commands)


def test_a_file_that_is_no_example_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ReportSubmitted" / "broken.json"
    file.parent.mkdir()
    file.write_text('{"data": {}}', encoding="utf-8")
    with pytest.raises(UnreadableExample, match=r"broken\.json: write"):
        list(read_examples(tmp_path))


def _read(example: GoldenExample, data: dict[str, Any]) -> Contract:
    return message_types()[example.type].model_validate_json(json.dumps(data))


def _with_strange_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{name: _with_strange_fields(part) for name, part in value.items()}, "of_the_future": {"a": [1]}}
    if isinstance(value, list):
        return [_with_strange_fields(item) for item in value]
    return value


def _without_defaults(told: Any, dumped: Any) -> Any:
    """The dumped fields that the example has."""
    if isinstance(told, dict):
        return {name: _without_defaults(part, dumped[name]) for name, part in told.items()}
    if isinstance(told, list):
        return [_without_defaults(one, other) for one, other in zip(told, dumped, strict=True)]
    return dumped


def _long_numbers(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in _long_numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in _long_numbers(part)]
    words = str(value).split() if isinstance(value, str) else []
    return [word for word in words if sum(letter.isdigit() for letter in word) >= 9 and word.strip("+.,").isdigit()]
