"""Whether a changed schema still understands the old one's messages, and the old readers the new messages.

A writer is taken to write only the fields that its schema names; a reader passes over fields that it does not know.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tuntas_tools.contracts.findings import Finding, Kind, Parties
from tuntas_tools.contracts.reading import Reading

_NEW_READS_OLD = Parties("old messages", "new readers", know_all=True)
_OLD_READS_NEW = Parties("new messages", "old readers")


class Verdict(StrEnum):
    """What a difference does. Only `COMPATIBLE` may be released under the same topic."""

    COMPATIBLE = "compatible"
    BREAKS_OLD_READERS = "breaking for old readers"
    BREAKS_NEW_READERS = "breaking for new readers"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference between two schemas, at a JSON path (`$.report.title`, `[*]` an item, `.*` any other field)."""

    path: str
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.verdict}: {self.text}"


def compare(old: Any, new: Any) -> list[Difference]:
    """Every difference between two JSON Schemas of one message type, sorted by path."""
    forth = Reading(old, new, _NEW_READS_OLD).findings()
    back = Reading(new, old, _OLD_READS_NEW).findings()
    found = {
        *_differences(forth, Verdict.BREAKS_NEW_READERS),
        *_differences(back, Verdict.BREAKS_OLD_READERS),
    }
    listed = {difference.path for difference in found}
    found |= {Difference(f.path, Verdict.COMPATIBLE, f.text) for f in forth if f.kind is Kind.NOTE and f.path not in listed}
    if not found and _canonical(old) != _canonical(new):
        found.add(Difference("$", Verdict.COMPATIBLE, "written in another way, understood in the same"))
    return sorted(found)


def compare_all(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Difference]]:
    """The differences of each message type that has any; a type that is gone or new is one itself."""
    gone = Difference("$", Verdict.BREAKS_NEW_READERS, "the type is gone, but its messages stay on the topic: keep its model")
    added = Difference("$", Verdict.COMPATIBLE, "a new type: old readers skip it by its header")
    found = {}
    for name in sorted({*old, *new}):
        if name not in new:
            found[name] = [gone]
        elif name not in old:
            found[name] = [added]
        elif differences := compare(old[name], new[name]):
            found[name] = differences
    return found


def is_compatible(differences: Iterable[Difference]) -> bool:
    """Whether a release is possible."""
    return all(difference.verdict is Verdict.COMPATIBLE for difference in differences)


def _differences(findings: Iterable[Finding], breaking: Verdict) -> Iterable[Difference]:
    for finding in findings:
        if finding.kind is Kind.REFUSED:
            yield Difference(finding.path, breaking, finding.text)
        elif finding.kind is Kind.UNDECIDED:
            yield Difference(finding.path, Verdict.UNCLASSIFIED, finding.text)


def _canonical(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)
