"""A watermark as it comes from its topic → rows to keep. No I/O."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tuntas_chassis.messaging.messages import Incoming, Outcome
from tuntas_contracts.watermarks import LateAgency, WatermarkAdvanced


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to when a source's decisions lie below `end_offset` of a partition; it counts once that offset is read.

    Of `late_agencies` only what lies before their own time is judged, of `held_cases` nothing.
    """

    partition: int
    source: str
    at: datetime
    end_offset: int
    late_agencies: tuple[LateAgency, ...] = ()
    held_cases: tuple[UUID, ...] = ()


def advanced(_state: None, incoming: Incoming) -> Outcome[None]:
    """The rows of one message. Raises TypeError for any other type."""
    body = incoming.body
    if not isinstance(body, WatermarkAdvanced):
        raise TypeError(f"{type(body).__name__} is no watermark: take it out of the subscription")
    held: dict[int, list[UUID]] = defaultdict(list)
    for case in body.held_cases:
        held[case.partition].append(case.case_id)
    return Outcome(
        None,
        rows=[
            Watermark(p.partition, body.source, p.at, p.end_offset, body.late_agencies, tuple(held.get(p.partition, ())))
            for p in body.partitions
        ],
    )


def newest(rows: list[Watermark]) -> list[Watermark]:
    """Of several that end at the same offset of a partition, only the one that reaches furthest; in order of partition, source, offset."""
    found: dict[tuple[int, str, int], Watermark] = {}
    for row in rows:
        key = (row.partition, row.source, row.end_offset)
        if key not in found or found[key].at < row.at:
            found[key] = row
    return [found[key] for key in sorted(found)]
