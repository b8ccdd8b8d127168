"""The part of a case's clocks that is stored as one JSON document: written and read whole, never queried."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sla_monitor.domain.case_clocks import CaseClocks, Running
from tuntas_contracts.vocabulary import Clock

StoredRun = tuple[str, int, str, str]


class StoredClocks(TypedDict, total=False):
    """`running`: clock, deadline version, start and due of each; `set`: how often each clock was set.

    `held_by`: inputs that hold C6; `refused`: those that were refused.
    """

    running: list[StoredRun]
    set: dict[str, int]
    held_by: list[str]
    settled: list[str]  # the name in stored states


class ReadClocks(TypedDict):
    """The fields of `CaseClocks` that the document holds."""

    running: tuple[Running, ...]
    deadline_versions: Mapping[Clock, int]
    held_by: tuple[UUID, ...]
    refused: tuple[UUID, ...]


def write_clocks(state: CaseClocks) -> str:
    """The document of a case."""
    found: StoredClocks = {
        "running": [(r.clock.value, r.deadline_version, r.started_at.isoformat(), r.due_at.isoformat()) for r in state.running],
        "set": {clock.value: number for clock, number in state.deadline_versions.items()},
    }
    if state.held_by:
        found["held_by"] = [str(held) for held in state.held_by]
    if state.refused:
        found["settled"] = [str(input_id) for input_id in state.refused]
    return json.dumps(found, separators=(",", ":"))


def read_clocks(found: StoredClocks) -> ReadClocks:
    """What `write_clocks` wrote."""
    running = tuple(
        Running(Clock(clock), number, datetime.fromisoformat(started), datetime.fromisoformat(due))
        for clock, number, started, due in found.get("running", [])
    )
    return {
        "running": running,
        "deadline_versions": {Clock(clock): number for clock, number in found.get("set", {}).items()},
        "held_by": tuple(UUID(held) for held in found.get("held_by", ())),
        "refused": tuple(UUID(input_id) for input_id in found.get("settled", ())),
    }
