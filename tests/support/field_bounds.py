"""How large the JSON of a type can become, by pydantic's own schema of it; and which of its fields have no bound."""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

Schema = Mapping[str, Any]

# the worst characters first, with the bytes that each takes in JSON
_CHARACTERS = (("\x01", 6), ("\U0001f600", 4), ('"', 2))
_FIXED = {"bool": 5, "none": 4, "uuid": 38, "datetime": 34, "date": 12}
_WRAPPERS = frozenset(
    {"default", "nullable", "function-before", "function-after", "function-wrap", "model", "model-field", "lax-or-strict", "json-or-python"}
)


class Bounds:
    """Goes through one type. `faults` names every field without a bound; `largest` is the largest JSON's size in bytes of UTF-8."""

    def __init__(self, kind: Any, name: str) -> None:
        self.faults: list[str] = []
        self._named: dict[str, Schema] = {}
        self._inside: set[str] = set()
        self._measures: dict[str, Callable[[Schema, str], int]] = {
            "str": self._text,
            "int": self._integer,
            "float": self._float,
            "decimal": self._decimal,
            "datetime": self._moment,
            "date": self._moment,
            "list": self._items,
            "tuple": self._items,
            "set": self._items,
            "dict": self._mapping,
            "enum": self._choice,
            "literal": self._choice,
            "union": self._union,
            "tagged-union": self._union,
            "model-fields": self._fields,
            "definitions": self._definitions,
            "definition-ref": self._reference,
        }
        self.largest = self._size(TypeAdapter(kind).core_schema, name)

    def _size(self, schema: Schema, path: str) -> int:
        kind = schema["type"]
        if kind in _WRAPPERS:
            inner = schema.get("schema") or schema.get("lax_schema") or schema["json_schema"]
            return max(self._size(inner, path), 4)
        if kind in self._measures:
            return self._measures[kind](schema, path)
        if kind in _FIXED:
            return _FIXED[kind]
        return self._fault(path, f"another type than {kind}, of which nobody knows how large it is")

    def _fault(self, path: str, needed: str) -> int:
        self.faults.append(f"{path} has no bound: give it {needed}")
        return 0

    def _text(self, schema: Schema, path: str) -> int:
        if "max_length" not in schema:
            return self._fault(path, "max_length")
        pattern, longest = schema.get("pattern"), int(schema["max_length"])
        for character, size in _CHARACTERS:
            if pattern is None or re.search(pattern, character * longest):
                return 2 + longest * size
        return 2 + longest

    def _integer(self, schema: Schema, path: str) -> int:
        least, most = schema.get("ge", schema.get("gt")), schema.get("le", schema.get("lt"))
        if least is None or most is None:
            return self._fault(path, "ge and le")
        return max(len(str(least)), len(str(most)))

    def _float(self, schema: Schema, path: str) -> int:
        if not {"ge", "gt"} & set(schema) or not {"le", "lt"} & set(schema) or schema.get("allow_inf_nan") is not False:
            return self._fault(path, "ge, le and allow_inf_nan=False")
        return 25

    def _decimal(self, schema: Schema, path: str) -> int:
        if not {"ge", "le", "max_digits", "decimal_places"} <= set(schema):
            return self._fault(path, "ge, le, max_digits and decimal_places")
        return int(schema["max_digits"]) + 5

    def _moment(self, schema: Schema, path: str) -> int:
        if not {"ge", "gt"} & set(schema) or not {"le", "lt"} & set(schema):
            return self._fault(path, "ge and lt")
        return _FIXED[schema["type"]]

    def _items(self, schema: Schema, path: str) -> int:
        items = schema.get("items_schema")
        if isinstance(items, list):
            if schema.get("variadic_item_index") is None:
                return 2 + sum(self._size(item, f"{path}[{n}]") + 1 for n, item in enumerate(items))
            items = items[0]
        if items is None:
            return self._fault(path, "a type of its items")
        item = self._size(items, f"{path}[]")
        if "max_length" not in schema:
            return self._fault(path, "max_length")
        return 2 + int(schema["max_length"]) * (item + 1)

    def _mapping(self, schema: Schema, path: str) -> int:
        key = self._size(schema.get("keys_schema", {"type": "any"}), f"{path}.keys")
        value = self._size(schema.get("values_schema", {"type": "any"}), f"{path}.values")
        if "max_length" not in schema:
            return self._fault(path, "max_length")
        return 2 + int(schema["max_length"]) * (key + value + 2)

    def _choice(self, schema: Schema, _path: str) -> int:
        values = schema["members"] if schema["type"] == "enum" else schema["expected"]
        return max(len(to_json(value.value if isinstance(value, Enum) else value)) for value in values)

    def _union(self, schema: Schema, path: str) -> int:
        choices = schema["choices"].values() if isinstance(schema["choices"], dict) else schema["choices"]
        return max(self._size(choice[0] if isinstance(choice, tuple) else choice, path) for choice in choices)

    def _fields(self, schema: Schema, path: str) -> int:
        return 2 + sum(len(name) + 4 + self._size(field, f"{path}.{name}") for name, field in schema["fields"].items())

    def _definitions(self, schema: Schema, path: str) -> int:
        self._named |= {definition["ref"]: definition for definition in schema["definitions"]}
        return self._size(schema["schema"], path)

    def _reference(self, schema: Schema, path: str) -> int:
        name = schema["schema_ref"]
        if name in self._inside:
            return self._fault(path, "a depth: it holds itself")
        self._inside.add(name)
        size = self._size(self._named[name], path)
        self._inside.discard(name)
        return size
