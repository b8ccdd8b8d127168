"""The last release of the contracts, kept beside the present ones: `VERSION`, its schemas, every example and profile released so far."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuntas_contracts.envelope import EnvelopeError
from tuntas_tools.contracts.checkout import Checkout
from tuntas_tools.contracts.compatibility import Difference, Verdict, compare_all
from tuntas_tools.contracts.examples import UnreadableExample, read_examples
from tuntas_tools.contracts.schemas import as_json, current_schemas

COMMAND = "python -m tuntas_tools.contracts release"


class NotReleasable(Exception):
    """The contracts can't be released as they are; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """What was released last."""

    version: str
    schemas: dict[str, Any]


def last_release(checkout: Checkout) -> Release | None:
    """The last release, None before the first."""
    version = checkout.released / "VERSION"
    if not version.exists():
        return None
    files = sorted((checkout.released / "schemas").glob("*.json"))
    return Release(
        version.read_text(encoding="utf-8").strip(),
        {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files},
    )


def schema_differences(checkout: Checkout) -> dict[str, list[Difference]]:
    """What changed since the last release, by message type; nothing before the first."""
    release = last_release(checkout)
    return {} if release is None else compare_all(release.schemas, current_schemas())


def obstacles(checkout: Checkout) -> list[str]:
    """A sentence for everything that prevents releasing the present contracts after the last release."""
    found = [
        f"{name} {difference}; write a new type or a new topic (.v2) instead"
        for name, differences in schema_differences(checkout).items()
        for difference in differences
        if difference.verdict is not Verdict.COMPATIBLE
    ]
    return [*found, *_broken_examples(checkout), *_changed_profiles(checkout)]


def release(checkout: Checkout) -> list[Path]:
    """Keep the present schemas, examples and profiles as the release of the version in `contracts/pyproject.toml`; gives what was written.

    Raises:
        NotReleasable: they break readers, or that version was released with other schemas.
    """
    against = obstacles(checkout)
    if against:
        raise NotReleasable("\n".join(against))
    version, last = checkout.contracts_version(), last_release(checkout)
    if last is not None and last.version == version and last.schemas != current_schemas():
        raise NotReleasable(f"{version} was released with other schemas: raise the version in contracts/pyproject.toml")
    wanted = {checkout.released / "schemas" / f"{name}.json": as_json(schema) for name, schema in current_schemas().items()}
    wanted |= {
        checkout.released / "examples" / file.relative_to(checkout.examples): file.read_text(encoding="utf-8")
        for file in sorted(checkout.examples.glob("*/*.json"))
    }
    wanted |= {
        checkout.released / "profiles" / file.name: file.read_text(encoding="utf-8") for file in sorted(checkout.profiles.glob("*.json"))
    }
    wanted[checkout.released / "VERSION"] = f"{version}\n"
    written = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    return written


def _broken_examples(checkout: Checkout) -> list[str]:
    """Examples once released must stay, unchanged, and be readable."""
    released = checkout.released / "examples"
    found = []
    for file in sorted(released.glob("*/*.json")):
        name = file.relative_to(released)
        kept = checkout.examples / name
        if not kept.exists() or kept.read_text(encoding="utf-8") != file.read_text(encoding="utf-8"):
            found.append(f"contracts/examples/{name} was released: put it back as it is in contracts/released, and add another instead")
    try:
        for example in read_examples(released):
            try:
                example.envelope()
                example.body()
            except (KeyError, EnvelopeError, ValidationError) as error:
                found.append(f"the released example {example.type}/{example.name} can't be read any more: {error}")
    except UnreadableExample as error:
        found.append(str(error))
    return found


def _changed_profiles(checkout: Checkout) -> list[str]:
    """Cases keep the limits under which they began, so a profile that was released stays as it is."""
    found = []
    for file in sorted((checkout.released / "profiles").glob("*.json")):
        present = checkout.profiles / file.name
        if not present.exists():
            found.append(f"the profile {file.stem} was released and is gone: cases follow it; put it back")
        elif json.loads(present.read_text(encoding="utf-8")) != json.loads(file.read_text(encoding="utf-8")):
            found.append(
                f"the profile {file.stem} was released with other limits: put it back as it is in contracts/released/profiles, "
                "and write the new limits as a profile with a name of its own"
            )
    return found
