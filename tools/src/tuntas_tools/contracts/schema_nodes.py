"""JSON Schema nodes in one form: references followed, single `allOf` merged, alternatives listed."""

from collections.abc import Sequence
from typing import Any

Node = dict[str, Any]

NEVER: Node = {"not": {}}
TYPES = ("null", "boolean", "number", "string", "array", "object")
ANNOTATIONS = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "discriminator",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)
# What these say depends on the keywords beside them, so that two sets of them can't be laid together.
_CONTEXTUAL = frozenset(
    {
        "additionalProperties",
        "allOf",
        "anyOf",
        "contains",
        "else",
        "if",
        "items",
        "maxContains",
        "minContains",
        "oneOf",
        "patternProperties",
        "prefixItems",
        "properties",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)


class SchemaDocument:
    """A schema with its definitions."""

    def __init__(self, schema: Any) -> None:
        self.root = schema

    def node(self, schema: Any) -> Node:
        """A node without booleans, local references and one-part `allOf`; what can't be resolved stays in it."""
        if isinstance(schema, bool):
            return {} if schema else dict(NEVER)
        node = dict(schema)
        followed: set[str] = set()
        while True:
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in followed and (target := self._target(reference)) is not None:
                followed.add(reference)
                rest = {name: value for name, value in node.items() if name != "$ref"}
                merged = _merge(self._as_dict(target), rest)
            elif len(node.get("allOf", ())) == 1:
                merged = _merge(self._as_dict(node["allOf"][0]), {n: v for n, v in node.items() if n != "allOf"})
            else:
                return node
            if merged is None:
                return node
            node = merged

    def alternatives(self, node: Node) -> list[Node]:
        """The nodes of which one must hold, each of one JSON type or a finite set of values."""
        for word in ("anyOf", "oneOf"):
            if word not in node:
                continue
            rest = {name: value for name, value in node.items() if name != word and name not in ANNOTATIONS}
            parts = [_merge(self.node(part), rest) for part in node[word]]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts) or (word == "oneOf" and not self._exclusive(node, known)):
                break
            return [alternative for part in known for alternative in self.alternatives(self.node(part))]
        if node.get("not") in ({}, True):
            return []
        if "enum" in node or "const" in node:
            return [node]
        types = node.get("type", list(TYPES))
        return [node] if isinstance(types, str) else [{**node, "type": kind} for kind in types]

    def expanded(self, value: Any, open_references: tuple[str, ...] = ()) -> Any:
        """A value with every local reference in it replaced by its target, except where that would not end."""
        if isinstance(value, list):
            return [self.expanded(item, open_references) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str) and reference not in open_references and (target := self._target(reference)) is not None:
            rest = {name: part for name, part in value.items() if name != "$ref"}
            merged = _merge(self._as_dict(target), rest)
            if merged is not None:
                return self.expanded(merged, (*open_references, reference))
        return {name: self.expanded(part, open_references) for name, part in value.items() if name not in ANNOTATIONS}

    def _exclusive(self, node: Node, parts: Sequence[Node]) -> bool:
        """Whether at most one part can hold, so that "one" and "any" mean the same."""
        if "discriminator" in node:
            return True
        kinds = [kind for part in parts for kind in {str(a.get("type")) for a in self.alternatives(part)}]
        clear = set(kinds) <= {*TYPES, "integer"} and not {"integer", "number"} <= set(kinds)
        return clear and len(kinds) == len(set(kinds))

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return None
        found = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return found

    @staticmethod
    def _as_dict(schema: Any) -> Node:
        if isinstance(schema, bool):
            return {} if schema else dict(NEVER)
        return dict(schema)


def _merge(base: Node, over: Node) -> Node | None:
    """Both at once: annotations of `over` win, equal demands are one; None where they would have to be combined."""
    clash = {name for name in base.keys() & over.keys() if name not in ANNOTATIONS and base[name] != over[name]}
    if clash or (base.keys() & _CONTEXTUAL and over.keys() & _CONTEXTUAL):
        return None
    return {**base, **over}
