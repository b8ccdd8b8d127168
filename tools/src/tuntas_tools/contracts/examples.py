"""Golden examples: messages as they pass, kept for ever, so that what was once readable stays readable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import message_types


class UnreadableExample(ValueError):
    """A file that is no golden example; names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class GoldenExample:
    """One record of a topic: its headers as text, its key (None: marks have none) and its value."""

    type: str
    name: str
    headers: dict[str, str]
    key: str | None
    data: dict[str, Any]

    @classmethod
    def read(cls, file: Path) -> "GoldenExample":
        """The example in `<type>/<name>.json`; raises UnreadableExample."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            return cls(file.parent.name, file.stem, dict(content["headers"]), content["key"], dict(content["data"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableExample(f'{file}: write {{"headers": …, "key": …, "data": …}} ({error!r})') from error

    def envelope(self) -> Envelope:
        """The envelope in the headers; raises EnvelopeError."""
        return Envelope.read([(name, value.encode()) for name, value in self.headers.items()])

    def body(self) -> Contract:
        """The value, read with the model of today; raises KeyError for an unknown type, pydantic's ValidationError else."""
        return message_types()[self.type].model_validate_json(json.dumps(self.data))


def read_examples(folder: Path) -> Iterator[GoldenExample]:
    """Every example below a folder, sorted by type and name."""
    for file in sorted(folder.glob("*/*.json")):
        yield GoldenExample.read(file)
