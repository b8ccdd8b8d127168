"""Hypothesis strategies: small JSON Schemas, schemas a step away from another, and data that is valid under one."""

import copy
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
NAMES = ("a", "b", "c")
WORDS = ("", "x", "yy", "zzz", "wwww")

_sizes = st.integers(min_value=0, max_value=4)


def _bounded(base: Schema, least: str, most: str) -> st.SearchStrategy[Schema]:
    def made(low: int | None, span: int | None) -> Schema:
        told = dict(base)
        if low is not None:
            told[least] = low
        if span is not None:
            told[most] = (low or 0) + span
        return told

    return st.builds(made, st.none() | _sizes, st.none() | _sizes)


_leaves: st.SearchStrategy[Schema] = st.one_of(
    _bounded({"type": "string"}, "minLength", "maxLength"),
    _bounded({"type": "integer"}, "minimum", "maximum"),
    _bounded({"type": "integer"}, "exclusiveMinimum", "maximum").map(
        lambda s: s | ({"maximum": s["maximum"] + 1} if "maximum" in s else {})
    ),
    _bounded({"type": "number"}, "minimum", "maximum"),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"const": "x"}, {"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]),
    st.lists(st.sampled_from([*WORDS, 1, None, True]), min_size=1, max_size=3, unique_by=repr).map(lambda values: {"enum": values}),
).map(copy.deepcopy)  # schemas are changed in place below


def _compound(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    arrays = st.builds(lambda items, sizes: {**sizes, "items": items}, inner, _bounded({"type": "array"}, "minItems", "maxItems"))
    objects = st.builds(
        lambda properties, needed, others: {
            "type": "object",
            "properties": properties,
            "required": [name for name in sorted(needed) if name in properties],
            **others,
        },
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
        st.sets(st.sampled_from(NAMES)),
        st.sampled_from([{}, {"additionalProperties": False}]) | inner.map(lambda s: {"additionalProperties": s}),
    )
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": copy.deepcopy(parts)})
    return st.one_of(arrays, objects, choices)


_nodes = st.recursive(_leaves, _compound, max_leaves=6)
schemas = st.builds(
    lambda root, a, b: {**root, "$defs": {"A": a, "B": b}},
    _nodes,
    _leaves.filter(lambda s: "$ref" not in s),
    _leaves.filter(lambda s: "$ref" not in s),
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """Two schemas that differ in a few places, or altogether."""
    old = draw(schemas)
    if draw(st.integers(0, 9)) == 0:
        return old, draw(schemas)
    new = copy.deepcopy(old)
    for _ in range(draw(st.integers(1, 3))):
        new = _changed(draw, new)
    return old, new


def _changed(draw: st.DrawFn, root: Schema) -> Schema:
    places = list(_places(root))
    node = draw(st.sampled_from(places))
    numbers = [name for name, value in node.items() if isinstance(value, int) and not isinstance(value, bool) and name != "const"]
    steps = ["replace"]
    steps += ["bound"] * 2 if numbers else []
    steps += ["field", "required", "drop"] * 2 if "properties" in node else []
    steps += ["value"] * 3 if "enum" in node else []
    steps += ["branch"] * 2 if "anyOf" in node else []
    step = draw(st.sampled_from(steps))
    if step == "bound":
        name = draw(st.sampled_from(numbers))
        node[name] = max(0, node[name] + draw(st.sampled_from([-1, 1])))
    elif step == "field":
        node["properties"][draw(st.sampled_from([*NAMES, "d"]))] = draw(_leaves)
    elif step == "required":
        name = draw(st.sampled_from(NAMES))
        node["required"] = sorted(set(node["required"]) ^ {name}) if name in node["properties"] else node["required"]
    elif step == "drop":
        name = draw(st.sampled_from(NAMES))
        node["properties"].pop(name, None)
        node["required"] = [one for one in node["required"] if one != name]
    elif step == "value":
        node["enum"] = [*node["enum"], draw(st.sampled_from(WORDS))]
    elif step == "branch":
        node["anyOf"].append(draw(_leaves))
    else:
        definitions = node.get("$defs")
        node.clear()
        node.update(draw(_leaves))
        if definitions is not None:
            node["$defs"] = definitions
    return root


def _places(node: Any) -> Any:
    if isinstance(node, dict):
        yield node
        for part in node.get("properties", {}).values():
            yield from _places(part)
        for name in ("items", "additionalProperties"):
            yield from _places(node.get(name))
        for part in node.get("anyOf", ()):
            yield from _places(part)
        for part in node.get("$defs", {}).values():
            yield from _places(part)


@st.composite
def written(draw: st.DrawFn, root: Schema, node: Schema | None = None, depth: int = 0) -> Any:
    """What a writer of this schema may write: only fields that it names. May fail to be valid; filter it."""
    node = root if node is None else node
    if "$ref" in node:
        return draw(written(root, root["$defs"][node["$ref"][-1]], depth + 1))
    if "anyOf" in node:
        return draw(written(root, draw(st.sampled_from(node["anyOf"])), depth + 1))
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    match node["type"]:
        case "string":
            low = node.get("minLength", 0)
            return draw(st.text("xyz", min_size=low, max_size=max(low, node.get("maxLength", 6))))
        case "integer":
            low = max(node.get("minimum", -3), node.get("exclusiveMinimum", -4) + 1)
            return draw(st.integers(low, max(low, node.get("maximum", 9))))
        case "number":
            low = node.get("minimum", -3)
            return draw(st.sampled_from([low, low + 0.5, node.get("maximum", 9), max(low, node.get("maximum", 9) - 0.25)]))
        case "boolean":
            return draw(st.booleans())
        case "null":
            return None
        case "array":
            low = node.get("minItems", 0)
            count = draw(st.integers(low, max(low, min(node.get("maxItems", 3), 3))))
            return [draw(written(root, node["items"], depth + 1)) for _ in range(count)]
    made = {
        name: draw(written(root, part, depth + 1))
        for name, part in node["properties"].items()
        if name in node["required"] or draw(st.booleans())
    }
    if isinstance(node.get("additionalProperties"), dict):
        for name in draw(st.sets(st.sampled_from([*NAMES, "d", "e"]), max_size=2)):
            if name not in node["properties"]:
                made[name] = draw(written(root, node["additionalProperties"], depth + 1))
    return made
