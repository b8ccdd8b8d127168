"""A release is what later contracts are compared with; what would break readers can't be released."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.checkout import CHECKOUT
from tuntas_reference.profile import DEFAULT_PROFILE, known_profiles
from tuntas_tools.contracts import released
from tuntas_tools.contracts.checkout import Checkout
from tuntas_tools.contracts.compatibility import Verdict
from tuntas_tools.contracts.released import NotReleasable


@pytest.fixture
def copy(tmp_path: Path) -> Checkout:
    """A checkout with only the contracts' files, just released."""
    shutil.copytree(CHECKOUT.examples, tmp_path / "contracts" / "examples")
    shutil.copy(CHECKOUT.contracts / "pyproject.toml", tmp_path / "contracts")
    checkout = Checkout(tmp_path)
    shutil.copytree(CHECKOUT.profiles, checkout.profiles)
    released.release(checkout)
    return checkout


def change(checkout: Checkout, name: str, **fields: Any) -> None:
    """Let the released schema be another than that of today."""
    file = checkout.released / "schemas" / f"{name}.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    for field, value in fields.items():
        schema["properties"][field] = value
    file.write_text(json.dumps(schema), encoding="utf-8")


def raise_version(checkout: Checkout) -> None:
    (checkout.contracts / "pyproject.toml").write_text('[project]\nversion = "99.0.0"\n', encoding="utf-8")


def test_present_contracts_may_follow_the_last_release() -> None:
    assert released.last_release(CHECKOUT) is not None, f"run `{released.COMMAND}`"
    assert released.obstacles(CHECKOUT) == []


def test_what_was_just_released_differs_in_nothing(copy: Checkout) -> None:
    assert released.schema_differences(copy) == {}
    assert released.obstacles(copy) == []
    assert released.release(copy) == []


def test_a_new_optional_field_may_be_released_under_a_new_version(copy: Checkout) -> None:
    file = copy.released / "schemas" / "CaseClosed.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    del schema["properties"]["rating"]
    file.write_text(json.dumps(schema), encoding="utf-8")
    assert [d.verdict for d in released.schema_differences(copy)["CaseClosed"]] == [Verdict.COMPATIBLE]
    with pytest.raises(NotReleasable, match="raise the version"):
        released.release(copy)
    raise_version(copy)
    released.release(copy)
    assert released.schema_differences(copy) == {}
    release = released.last_release(copy)
    assert release is not None
    assert release.version == "99.0.0"


def test_a_breaking_change_is_refused_with_type_path_and_way_out(copy: Checkout) -> None:
    word = {"maxLength": 64, "pattern": "^[a-z][a-z0-9_]*$", "type": "string"}
    change(copy, "CaseClosed", reason={"anyOf": [{"enum": ["no_reply", "satisfied", "withdrawn"]}, word]})
    raise_version(copy)
    with pytest.raises(NotReleasable) as refused:
        released.release(copy)
    assert str(refused.value) == (
        'CaseClosed $.reason: breaking for new readers: "withdrawn" may be written, but new readers no longer know it; '
        "write a new type or a new topic (.v2) instead"
    )


def test_a_type_that_is_gone_is_refused(copy: Checkout) -> None:
    (copy.released / "schemas" / "CaseForgotten.json").write_text("{}", encoding="utf-8")
    assert [line.partition(":")[0] for line in released.obstacles(copy)] == ["CaseForgotten $"]


def test_a_released_example_stays_as_it_is(copy: Checkout) -> None:
    (copy.examples / "CaseClosed" / "minimal.json").unlink()
    file = copy.examples / "CaseClosed" / "full.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"rating": 5', '"rating": 4'), encoding="utf-8")
    told = released.obstacles(copy)
    assert [line.partition(" ")[0] for line in told] == [
        "contracts/examples/CaseClosed/full.json",
        "contracts/examples/CaseClosed/minimal.json",
    ]


def test_a_released_example_must_still_be_readable(copy: Checkout) -> None:
    for folder in (copy.examples, copy.released / "examples"):
        file = folder / "CaseClosed" / "full.json"
        file.write_text(file.read_text(encoding="utf-8").replace('"rating": 5', '"rating": 9'), encoding="utf-8")
    (told,) = released.obstacles(copy)
    assert told.startswith("the released example CaseClosed/full can't be read any more")


def test_a_released_profile_keeps_its_limits(copy: Checkout) -> None:
    file = copy.profiles / f"{DEFAULT_PROFILE}.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"working_days": 14', '"working_days": 10'), encoding="utf-8")
    (told,) = released.obstacles(copy)
    assert told.startswith(f"the profile {DEFAULT_PROFILE} was released with other limits")
    raise_version(copy)
    with pytest.raises(NotReleasable, match="a profile with a name of its own"):
        released.release(copy)
    file.write_text(json.dumps(json.loads(text)), encoding="utf-8")
    assert released.obstacles(copy) == [], "another layout of the same limits is the same profile"


def test_a_released_profile_stays(copy: Checkout) -> None:
    (copy.profiles / f"{DEFAULT_PROFILE}.json").unlink()
    assert released.obstacles(copy) == [f"the profile {DEFAULT_PROFILE} was released and is gone: cases follow it; put it back"]


def test_every_profile_that_cases_may_have_is_released() -> None:
    assert {file.stem for file in (CHECKOUT.released / "profiles").glob("*.json")} == set(known_profiles())


def test_changed_limits_may_be_released_as_a_new_profile(copy: Checkout) -> None:
    profile = json.loads((copy.profiles / f"{DEFAULT_PROFILE}.json").read_text(encoding="utf-8"))
    (copy.profiles / "permenpan-99-2030.json").write_text(json.dumps(profile | {"name": "permenpan-99-2030"}), encoding="utf-8")
    raise_version(copy)
    released.release(copy)
    assert (copy.released / "profiles" / "permenpan-99-2030.json").exists()
    assert released.obstacles(copy) == []


def test_before_the_first_release_there_is_nothing_to_compare(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    assert released.last_release(checkout) is None
    assert released.schema_differences(checkout) == {}
