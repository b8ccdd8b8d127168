"""Who looks at metrics: rules, alerts, dashboards, runbooks; each with the expressions that it evaluates."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tuntas_tools.observability.promql import Selector, selectors

_FENCED = re.compile(r"^```promql\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LABEL_VALUES = re.compile(r"label_values\(\s*(.+)\s*,\s*\w+\s*\)")


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that reads series. `kind` is record, alert, dashboard or runbook."""

    kind: str
    name: str
    expression: str
    file: Path
    labels: frozenset[tuple[str, str]] = frozenset()


def rules(file: Path) -> list[Mapping[str, Any]]:
    """The rules of one file, in order."""
    return [rule for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def readers(root: Path) -> list[Reader]:
    """Every reader in a checkout."""
    found = []
    for file in sorted((root / "deploy" / "prometheus" / "rules").glob("*.yaml")):
        for rule in rules(file):
            kind = "alert" if "alert" in rule else "record"
            found.append(Reader(kind, rule[kind], rule["expr"], file, frozenset(rule.get("labels", {}).items())))
    for file in sorted((root / "deploy" / "grafana").glob("**/*.json")):
        found += [Reader("dashboard", file.stem, told, file) for told in _queries(json.loads(file.read_text(encoding="utf-8")))]
    for file in sorted((root / "docs" / "runbooks").glob("*.md")):
        found += [Reader("runbook", file.stem, told, file) for told in queries_of_runbook(file)]
    return found


def queries_of_runbook(file: Path) -> list[str]:
    """What a runbook asks Prometheus, a query a line."""
    return [line for block in _FENCED.findall(file.read_text(encoding="utf-8")) for line in block.splitlines() if line.strip()]


def _queries(node: object) -> Iterator[str]:
    """The expressions of panels and variables, at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "expr" and isinstance(value, str):
                yield value
            elif key in ("query", "definition") and isinstance(value, str) and (asked := _LABEL_VALUES.fullmatch(value)):
                yield asked[1]
            else:
                yield from _queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _queries(value)


def read_by(everyone: list[Reader]) -> dict[str, set[tuple[str, str]]]:
    """(kind, name) of who reads each series, directly or through recorded ones, which are not named themselves."""
    recorded: dict[str, list[Reader]] = {}
    for reader in everyone:
        if reader.kind == "record":
            recorded.setdefault(reader.name, []).append(reader)
    found: dict[str, set[tuple[str, str]]] = {}
    for reader in everyone:
        if reader.kind == "record":
            continue
        waiting, seen = list(selectors(reader.expression)), set[Selector]()
        while waiting:
            selector = waiting.pop()
            if selector not in seen:
                seen.add(selector)
                found.setdefault(selector.name, set()).add((reader.kind, reader.name))
                for record in recorded.get(selector.name, ()):
                    if all(value == dict(record.labels).get(label, value) for label, value in selector.equal):
                        waiting.extend(selectors(record.expression))
    return found
