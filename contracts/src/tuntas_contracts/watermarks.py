"""Watermarks: how far what each service decided lies on the cases topic. Kept for a day, because only the newest matters."""

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from tuntas_contracts.base import AgencyCode, BusinessTime, Contract, ShortText

MAX_PARTITIONS: Final = 200
MAX_HELD_CASES: Final = 1_000
MAX_LATE_AGENCIES: Final = 1_000

Partition = Annotated[int, Field(ge=0, lt=MAX_PARTITIONS)]
Offset = Annotated[int, Field(ge=0, le=9_223_372_036_854_775_807)]


class PartitionWatermark(Contract):
    """All that the source did before `at` lies below `end_offset` of this partition of the cases topic."""

    partition: Partition
    at: BusinessTime
    end_offset: Offset


class LateAgency(Contract):
    """An agency whose commands are read, and whose cases are delivered, only up to an earlier time than all others'.

    `at` None says that this time is not known: its topic can't be read or written.
    """

    agency: AgencyCode
    at: BusinessTime | None = None


class HeldCase(Contract):
    """A case of which a message is a dead letter at the source, which may not know what happened to it."""

    partition: Partition
    case_id: UUID


class WatermarkAdvanced(Contract):
    """How far `source` is on the partitions of the cases topic whose outbox shards one of its processes relays.

    sla-monitor judges a deadline only behind the lowest watermark of intake, triage and dispatch whose end offset it has read.
    Of cases at a late agency only what lies before that agency's time is judged, of held cases nothing. A watermark holds for
    ever, so that one read late, twice or in another order does no harm.
    """

    source: ShortText
    partitions: Annotated[tuple[PartitionWatermark, ...], Field(min_length=1, max_length=MAX_PARTITIONS)]
    late_agencies: Annotated[tuple[LateAgency, ...], Field(max_length=MAX_LATE_AGENCIES)] = ()
    held_cases: Annotated[tuple[HeldCase, ...], Field(max_length=MAX_HELD_CASES)] = ()
