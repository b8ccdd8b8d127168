"""An enumeration that may grow is read by old readers: a value of a later release as the text that it is."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from tests.contracts.checkout import CHECKOUT
from tuntas_contracts import open_values, vocabulary
from tuntas_contracts.open_values import member_or_text
from tuntas_contracts.topology import message_types
from tuntas_contracts.vocabulary import CaseState, Classification, Clock, Role, Service, ServiceClass, Transition
from tuntas_tools.contracts.compatibility import Verdict, compare_all, is_compatible
from tuntas_tools.contracts.examples import GoldenExample, read_examples
from tuntas_tools.contracts.schemas import current_schemas

CLOSED: tuple[type[StrEnum], ...] = (Service, CaseState, Classification, ServiceClass)
OPEN: dict[str, Any] = {name: kind for name, kind in vars(open_values).items() if name.startswith("Any")}
SCHEMAS = current_schemas()
EXAMPLES = list(read_examples(CHECKOUT.examples))


def enumeration(kind: Any) -> type[StrEnum]:
    """What an open type knows the members of."""
    found: type[StrEnum] = get_args(get_args(kind)[0])[0]
    return found


OPEN_ENUMERATIONS = {enumeration(kind).__name__: enumeration(kind) for kind in OPEN.values()}


def later(name: str) -> str:
    """A value that no release has yet."""
    return {Clock.__name__: "C99", Transition.__name__: "T99"}.get(name, "of_a_later_release")


def changed(name: str, values: list[str]) -> dict[str, Any]:
    """All schemas, with other values of one enumeration."""
    found = deepcopy(SCHEMAS)
    for schema in found.values():
        if name in schema.get("$defs", {}):
            schema["$defs"][name]["enum"] = values
    return found


def test_every_enumeration_of_a_message_is_open_or_closed_for_a_reason() -> None:
    used = {name for schema in SCHEMAS.values() for name, found in schema.get("$defs", {}).items() if "enum" in found}
    assert used == {*OPEN_ENUMERATIONS, *(kind.__name__ for kind in CLOSED)}
    for kind in CLOSED:
        assert f"`{kind.__name__}`" in (vocabulary.__doc__ or "")


@pytest.mark.parametrize("name", sorted(OPEN_ENUMERATIONS))
def test_an_open_enumeration_may_get_a_member_and_never_lose_one(name: str) -> None:
    values = [member.value for member in OPEN_ENUMERATIONS[name]]
    grown = compare_all(SCHEMAS, changed(name, [*values, later(name)]))
    assert grown, "some message has it"
    assert all(is_compatible(differences) for differences in grown.values())
    assert all(later(name) in str(differences) for differences in grown.values()), "and what is new is said"

    lost = compare_all(SCHEMAS, changed(name, values[1:]))
    assert {d.verdict for differences in lost.values() for d in differences} == {Verdict.BREAKS_NEW_READERS}


@pytest.mark.parametrize("name", sorted(kind.__name__ for kind in CLOSED))
def test_a_closed_enumeration_may_not_grow(name: str) -> None:
    values = next(schema["$defs"][name]["enum"] for schema in SCHEMAS.values() if name in schema.get("$defs", {}))
    found = compare_all(SCHEMAS, changed(name, [*values, "new"]))
    assert {d.verdict for differences in found.values() for d in differences} == {Verdict.BREAKS_OLD_READERS}


def test_the_release_check_lets_one_more_of_each_pass(tmp_path: Path) -> None:
    """A checkout with a member more in every open enumeration, compared with the last release by its own tools."""
    shutil.copytree(CHECKOUT.contracts, tmp_path / "contracts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CHECKOUT.profiles, tmp_path / CHECKOUT.profiles.relative_to(CHECKOUT.root))
    source = tmp_path / "contracts" / "src" / "tuntas_contracts" / "vocabulary.py"
    text = source.read_text(encoding="utf-8")
    for name in OPEN_ENUMERATIONS:
        head, declared, rest = text.partition(f"class {name}(StrEnum):\n")
        body, blank, tail = rest.partition("\n\n\n")
        text = f'{head}{declared}{body}\n    LATER = "{later(name)}"{blank}{tail}' if declared else text
    source.write_text(text, encoding="utf-8")
    script = (
        "import json; from pathlib import Path; from tuntas_tools.contracts import released; "
        "from tuntas_tools.contracts.checkout import Checkout; from tuntas_contracts import vocabulary; "
        f"checkout = Checkout(Path({str(tmp_path)!r})); "
        "print(json.dumps([vocabulary.__file__, len(released.schema_differences(checkout)), released.obstacles(checkout)]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(source.parent.parent)}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    module, differing, obstacles = json.loads(run.stdout)
    assert module == str(source)
    assert differing > 0
    assert obstacles == []


def places(
    schema: Any, data: Any, definitions: dict[str, Any], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where in a message an open enumeration's value stands, and whose."""
    schema = {**schema, **definitions.get(schema.get("$ref", "").rpartition("/")[2], {})}
    for part in schema.get("anyOf", ()):
        name = part.get("$ref", "").rpartition("/")[2]
        if name in OPEN_ENUMERATIONS and isinstance(data, str):
            yield path, name
        elif name and isinstance(data, dict):
            yield from places(part, data, definitions, path)
    if isinstance(data, dict):
        for name, value in data.items():
            yield from places(schema.get("properties", {}).get(name, {}), value, definitions, (*path, name))
    if isinstance(data, list):
        for number, value in enumerate(data):
            yield from places(schema.get("items", {}), value, definitions, (*path, number))


def replaced(data: Any, path: tuple[str | int, ...], value: str) -> Any:
    """The same data with another value at a path."""
    found = deepcopy(data)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return found


PLACES = [
    pytest.param(example, path, name, id=f"{example.type}-{example.name}-{'.'.join(map(str, path))}")
    for example in EXAMPLES
    for path, name in places(SCHEMAS[example.type], example.data, SCHEMAS[example.type].get("$defs", {}))
]


def test_the_golden_examples_have_a_value_of_every_open_enumeration() -> None:
    assert {place.values[2] for place in PLACES} == set(OPEN_ENUMERATIONS)


@pytest.mark.parametrize(("example", "path", "name"), PLACES)
def test_a_golden_example_is_read_with_a_value_of_a_later_release(example: GoldenExample, path: tuple[str | int, ...], name: str) -> None:
    data = replaced(example.data, path, later(name))
    assert Draft202012Validator(SCHEMAS[example.type]).is_valid(data)
    body = message_types()[example.type].model_validate_json(json.dumps(data))
    written = json.loads(body.model_dump_json())
    for step in path:
        written = written[step]
    assert written == later(name), "what comes as text goes on as it came"


@pytest.mark.parametrize("name", sorted(OPEN))
def test_a_known_value_is_the_member(name: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(OPEN[name])
    for member in enumeration(OPEN[name]):
        assert adapter.validate_json(json.dumps(member.value)) is member
        assert adapter.validate_python(member.value) is member
        assert adapter.dump_json(member) == json.dumps(member.value).encode()


@pytest.mark.parametrize("name", sorted(OPEN))
@pytest.mark.parametrize("value", ["", "Two Words", "x" * 65, "line\nbreak", "../etc", "T1000", 7, None], ids=repr)
def test_a_text_that_can_be_no_value_of_any_release_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OPEN[name]).validate_json(json.dumps(value))


@pytest.mark.parametrize("role", Role)
def test_every_role_has_names_for_people(role: Role) -> None:
    assert role.indonesian
    assert role.english


def test_what_is_stored_is_a_member_or_stays_text() -> None:
    assert member_or_text(Role, "reporter") is Role.REPORTER
    assert member_or_text(Role, "later_role") == "later_role"
