"""JSON Schemas (2020-12) of the message types, as published for those who do not use our Python models."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from tuntas_contracts.base import Contract
from tuntas_contracts.topology import message_types

ID_BASE = "https://tuntas.example/schemas/"
_FIRST = ("$schema", "$id", "title", "description", "type")
_LAST = ("$defs",)

JsonSchema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """A field's title would only repeat its name."""
        return False


def schema_of(message: type[Contract]) -> JsonSchema:
    """What may be read as this message. Fields keep their declared order, definitions are sorted."""
    made = message.model_json_schema(schema_generator=_Generator, mode="validation")
    made |= {"$schema": _Generator.schema_dialect, "$id": f"{ID_BASE}{message.__name__}.json"}
    middle = [name for name in made if name not in (*_FIRST, *_LAST)]
    return {name: made[name] for name in (*_FIRST, *middle, *_LAST) if name in made}


def current_schemas() -> dict[str, JsonSchema]:
    """The schema of every message type on any topic, by type."""
    return {name: schema_of(kind) for name, kind in sorted(message_types().items())}


def as_json(document: Any) -> str:
    """The one way in which JSON is written to files here."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
