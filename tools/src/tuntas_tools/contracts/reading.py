"""Reads one schema's data with another schema, keyword by keyword, and finds what would not be understood.

Sound, not complete: where nothing is found, everything that may be written is read; a finding can be too careful.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema import Draft202012Validator

from tuntas_tools.contracts import bounds
from tuntas_tools.contracts.findings import Finding, Kind, Parties
from tuntas_tools.contracts.schema_nodes import ANNOTATIONS, TYPES, Node, SchemaDocument

_DEEPEST = 60
_OF_TYPE: dict[str, frozenset[str]] = {
    "null": frozenset(),
    "boolean": frozenset(),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems"}),
    "object": frozenset({"properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"}),
}
# These can name fields too, so they count where they are on the writer's side.
_NAMING = frozenset({"dependentSchemas", "if", "patternProperties", "unevaluatedProperties"})
# Left in a node only where they can't be resolved into alternatives.
_COMBINING = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_UNDERSTOOD = frozenset({"type", "enum", "const"}).union(*_OF_TYPE.values())


class Reading:
    """One direction of a comparison."""

    def __init__(self, written: Any, read: Any, parties: Parties) -> None:
        self._written = SchemaDocument(written)
        self._read = SchemaDocument(read)
        self._validator = Draft202012Validator(read)
        self._parties = parties
        self._open: set[tuple[str, str]] = set()

    def findings(self) -> list[Finding]:
        """Everything found, in the order of the schema."""
        return self._compare(self._written.root, self._read.root, "$")

    # -- one place --------------------------------------------------------------------------------------------------

    def _compare(self, written: Any, read: Any, path: str, depth: int = 0) -> list[Finding]:
        pair = (_reference(written), _reference(read))
        if all(pair):
            if pair in self._open:
                return []  # the same two are being compared further up
            self._open.add(pair)
        elif depth > _DEEPEST:
            return [Finding(path, Kind.UNDECIDED, "nested too deep to compare: decide by hand")]
        try:
            return self._compare_nodes(self._written.node(written), self._read.node(read), path, depth)
        finally:
            self._open.discard(pair)

    def _compare_nodes(self, written: Node, read: Node, path: str, depth: int) -> list[Finding]:
        found = []
        if any(written.get(word) != read.get(word) for word in ("title", "description", "examples", "deprecated")):
            found.append(Finding(path, Kind.NOTE, "described in other words"))
        if not read.keys() - ANNOTATIONS:
            return found
        options, own = self._read.alternatives(read), self._written.alternatives(written)
        if tangled := sorted({word for one in (*own, *options) for word in one.keys() & _COMBINING}):
            return found if self._same(written, read) else [*found, _undecided(path, tangled)]
        for one in own:
            values = _values_of(one)
            if values is None:
                found += self._best(one, options, path, depth)
            else:
                found += self._compare_values(values, read, options, path)
        return list(dict.fromkeys(found))

    def _best(self, written: Node, options: Iterable[Node], path: str, depth: int) -> list[Finding]:
        """The findings against the reader's most fitting alternative."""
        fitting = [option for option in options if _may_hold(written["type"], option)]
        if not fitting:
            return [self._refused(path, f"{_called(written)} may be written, but {self._parties.readers} do not take it")]
        tries = [self._compare_alternative(written, option, path, depth) for option in fitting]
        return min(tries, key=lambda found: (sum(finding.kind is not Kind.NOTE for finding in found), len(found)))

    def _compare_values(self, values: list[Any], read: Node, options: list[Node], path: str) -> list[Finding]:
        validator = self._validator.evolve(schema=read)
        missed = [value for value in values if not validator.is_valid(value)]
        if missed:
            unknown = ", ".join(_as_text(value) for value in missed)
            return [self._refused(path, f"{unknown} may be written, but {self._parties.readers} do not know it")]
        texts = [value for value in values if isinstance(value, str)]
        listed = {value for option in options for value in _values_of(option) or () if isinstance(value, str)}
        found: list[Finding] = []
        if self._parties.know_all and texts and listed:
            if forgotten := [value for value in texts if value not in listed]:
                removed = ", ".join(map(_as_text, forgotten))
                return [self._refused(path, f"{removed} may be written, but {self._parties.readers} no longer know it")]
            if new := sorted(listed.difference(texts)):
                found = [Finding(path, Kind.NOTE, f"new: {', '.join(map(_as_text, new))}; old readers take it as any text")]
        if any("format" in option for option in options) and any(isinstance(value, str) for value in values):
            return [Finding(path, Kind.UNDECIDED, "listed values against a format: decide by hand")]
        return found

    def _compare_alternative(self, written: Node, read: Node, path: str, depth: int) -> list[Finding]:
        if (known := _values_of(read)) is not None:
            listed = ", ".join(_as_text(value) for value in known)
            return [self._refused(path, f"{_called(written)} may be written, but {self._parties.readers} know only {listed}")]
        kind = "number" if written["type"] == "integer" else written["type"]
        found = self._leftovers(written, read, kind, path)
        if kind == "object":
            found += self._compare_objects(written, read, path, depth)
        elif kind == "array":
            found += self._compare_arrays(written, read, path, depth)
        found += bounds.findings(kind, written, read, path, self._parties)
        return found

    def _leftovers(self, written: Node, read: Node, kind: str, path: str) -> list[Finding]:
        """Keywords that nothing here understands: harmless where the reader has none or both have the same."""
        others = _UNDERSTOOD - _OF_TYPE[kind]
        ignored = ANNOTATIONS | _OF_TYPE[kind] | others
        naming = written.keys() & _NAMING if kind == "object" else set()
        strange = {name for name in read if name not in ignored} | naming
        if not strange:
            return []
        sides = [{name: node[name] for name in node if name not in ignored} for node in (written, read)]
        known = not naming or read.get("properties", {}).keys() <= written.get("properties", {}).keys()
        return [] if known and self._same(*sides) else [_undecided(path, sorted(strange))]

    def _same(self, written: Node, read: Node) -> bool:
        """Whether both say the same in the same words, definitions included."""
        own, taken = self._written.expanded(written), self._read.expanded(read)
        return bool(own == taken) and '"$ref"' not in json.dumps(own)

    # -- objects ----------------------------------------------------------------------------------------------------

    def _compare_objects(self, written: Node, read: Node, path: str, depth: int) -> list[Finding]:
        found = list(self._compare_fields(written, read, path, depth))
        others = _other_fields(written)
        if others is not False:
            found += self._compare_others(others, written, read, path, depth)
        if (names := read.get("propertyNames")) is not None:
            taken = {"type": "string", **self._read.node(names)}
            found += self._compare_nodes({"enum": list(written.get("properties", {}))}, taken, f"{path}.~name", depth + 1)
            if others is not False:
                own = {"type": "string", **self._written.node(written.get("propertyNames", {}))}
                found += self._compare_nodes(own, taken, f"{path}.~name", depth + 1)
        return found

    def _compare_fields(self, written: Node, read: Node, path: str, depth: int) -> Iterator[Finding]:
        own, taken = written.get("properties", {}), read.get("properties", {})
        always, needed = set(written.get("required", ())), set(read.get("required", ()))
        for name in sorted(needed - always):
            why = "may lack it" if name in own else "do not have it"
            yield self._refused(f"{path}.{name}", f"{self._parties.messages} {why}, but {self._parties.readers} need it")
        for name, schema in own.items():
            if name in taken:
                yield from self._compare(schema, taken[name], f"{path}.{name}", depth + 1)
                if name not in always | needed:
                    yield from self._compare_defaults(schema, taken[name], f"{path}.{name}")
            elif read.get("additionalProperties", True) in (True, {}):
                yield Finding(f"{path}.{name}", Kind.NOTE, f"the field is gone: {self._parties.readers} pass over it")
            elif read["additionalProperties"] is False:
                yield self._refused(f"{path}.{name}", f"may be written, but {self._parties.readers} refuse fields that they do not know")
            else:
                yield from self._compare(schema, read["additionalProperties"], f"{path}.{name}", depth + 1)
        if _other_fields(written) is False:
            for name in taken.keys() - own.keys() - needed:
                yield Finding(f"{path}.{name}", Kind.NOTE, "a new optional field: old readers pass over it")

    def _compare_defaults(self, written: Any, read: Any, path: str) -> Iterator[Finding]:
        missing = object()
        own, taken = (side.get("default", missing) for side in (self._written.node(written), self._read.node(read)))
        if (own is missing) != (taken is missing) or (own is not missing and _as_text(own) != _as_text(taken)):
            means = "has no default" if own is missing else f"means {_as_text(own)}"
            reads = "have no default" if taken is missing else f"read {_as_text(taken)}"
            yield self._refused(path, f"left out it {means} in {self._parties.messages}, but {self._parties.readers} {reads}")

    def _compare_others(self, others: Any, written: Node, read: Node, path: str, depth: int) -> Iterator[Finding]:
        """Fields whose names the writer's schema does not fix, as in a mapping."""
        named = written.get("properties", {})
        for name, schema in read.get("properties", {}).items():
            if name not in named:
                yield from self._compare(others, schema, f"{path}.{name}", depth + 1)
        taken = read.get("additionalProperties", True)
        if taken is False:
            yield self._refused(f"{path}.*", f"any field may be written, but {self._parties.readers} refuse those they do not know")
        else:
            yield from self._compare(others, taken, f"{path}.*", depth + 1)

    # -- arrays -----------------------------------------------------------------------------------------------------

    def _compare_arrays(self, written: Node, read: Node, path: str, depth: int) -> list[Finding]:
        own, taken = written.get("prefixItems", []), read.get("prefixItems", [])
        rest, taken_rest = written.get("items", True), read.get("items", True)
        fixed = max(len(own), len(taken))
        most = min(written.get("maxItems", fixed + 1), len(own) if rest is False else fixed + 1)
        found: list[Finding] = []
        for place in range(most):
            one = own[place] if place < len(own) else rest
            other = taken[place] if place < len(taken) else taken_rest
            at = f"{path}[{place}]" if place < fixed else f"{path}[*]"
            if other is False:
                found.append(self._refused(at, f"an item may be written, but {self._parties.readers} take none there"))
            else:
                found += self._compare(one, other, at, depth + 1)
        if read.get("uniqueItems") and not written.get("uniqueItems") and written.get("maxItems", 2) > 1:
            found.append(self._refused(path, f"items may repeat, but {self._parties.readers} refuse that"))
        return found

    def _refused(self, path: str, text: str) -> Finding:
        return Finding(path, Kind.REFUSED, text)


def _undecided(path: str, keywords: Iterable[str]) -> Finding:
    return Finding(path, Kind.UNDECIDED, f"{', '.join(keywords)} can't be compared here: decide by hand")


def _reference(node: Any) -> str:
    return str(node["$ref"]) if isinstance(node, dict) and "$ref" in node else ""


def _other_fields(node: Node) -> Any:
    """The schema of fields that a writer may add to the named ones; False: it adds none."""
    if "additionalProperties" in node:
        return node["additionalProperties"]
    return "properties" not in node


def _values_of(node: Node) -> list[Any] | None:
    """The values of a node with finitely many, else None."""
    if "const" in node:
        return [node["const"]]
    if "enum" in node:
        return list(node["enum"])
    kind = node.get("type")
    return [None] if kind == "null" else [False, True] if kind == "boolean" else None


def _may_hold(kind: str, option: Node) -> bool:
    values = _values_of(option)
    if values is not None and "type" not in option:
        return any(_fits(kind, value) for value in values)
    return kind == option["type"] or (kind == "integer" and option["type"] == "number")


def _fits(kind: str, value: Any) -> bool:
    return bool(Draft202012Validator({"type": kind}).is_valid(value))


def _called(node: Node) -> str:
    kind = node["type"]
    article = "an" if kind in ("array", "object", "integer") else "any"
    return f"{article} {kind}" if kind in TYPES or kind == "integer" else f"something of type {kind}"


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
