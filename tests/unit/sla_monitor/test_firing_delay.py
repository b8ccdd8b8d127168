"""How late a checkpoint is announced: from its moment, or from the entry of its report where that came later."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sla_monitor.application.checkpoint_scheduler import CheckpointScheduler
from sla_monitor.application.handlers import Fired
from sla_monitor.metrics import DELAY, METRICS, MISSED, WARNINGS
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.vocabulary import Clock, WarningLevel
from tuntas_reference.profile import DEFAULT_PROFILE

NOW = datetime(2026, 1, 7, 1, 0, tzinfo=UTC)


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


class OneLook:
    """What the loop finds due, and the transaction and outbox that it does so with."""

    def __init__(self, fired: Sequence[Fired]) -> None:
        self._fired = fired
        self.announced: list[Any] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        yield None

    async def take(self, _connection: None, _now: datetime, _limit: int) -> tuple[list[Fired], bool]:
        return list(self._fired), False

    async def record_missed(self, _connection: None, _missed: Sequence[Fired]) -> None:
        """What is missed is counted, whoever notes it."""

    async def write(self, _connection: None, outgoing: Sequence[Any]) -> None:
        self.announced += outgoing

    def written(self) -> None:
        """Nobody waits."""


def _fired(due_before: timedelta, entered_before: timedelta, level: WarningLevel) -> Fired:
    return Fired(
        case_id=UUID(int=int((NOW - entered_before).timestamp() * 1000) << 80),
        profile=DEFAULT_PROFILE,
        clock=Clock.C3,
        level=level,
        deadline_version=1,
        fire_at=NOW - due_before,
        due_at=NOW + timedelta(days=1),
        agency="dinas-pu",
        unit=None,
        service_class=None,
    )


@pytest.mark.parametrize(
    ("due_before", "entered_before", "within"),
    [
        (timedelta(seconds=10), timedelta(days=3), "15.0"),
        (timedelta(hours=2), timedelta(days=3), "86400.0"),
        (timedelta(days=2), timedelta(seconds=4), "5.0"),  # entered by hand, received days ago
    ],
)
async def test_a_warning_is_as_late_as_it_could_have_been_announced(due_before: timedelta, entered_before: timedelta, within: str) -> None:
    metrics = MetricSet(METRICS)
    look: Any = OneLook([_fired(due_before, entered_before, WarningLevel.YELLOW)])
    loop = CheckpointScheduler(look, look, look, look, Still(), metrics, interval_s=1, batch=10)  # type: ignore[arg-type]
    assert not await loop.fire()
    assert len(look.announced) == 1
    buckets = [float(b) for m in METRICS if m.name == DELAY for b in m.buckets]
    below = max((b for b in buckets if b < float(within)), default=None)
    sample = metrics.registry.get_sample_value
    assert sample(f"{DELAY}_bucket", {"notice": "warning", "le": within}) == 1
    assert below is None or sample(f"{DELAY}_bucket", {"notice": "warning", "le": str(below)}) == 0
    assert metrics.value(WARNINGS, "C3", "yellow") == 1


async def test_the_end_of_a_clock_is_counted_apart_from_warnings() -> None:
    metrics = MetricSet(METRICS)
    look: Any = OneLook([_fired(timedelta(hours=2), timedelta(days=9), WarningLevel.RED)])
    await CheckpointScheduler(look, look, look, look, Still(), metrics, interval_s=1, batch=10).fire()  # type: ignore[arg-type]
    assert metrics.value(DELAY, "missed") == 1
    assert metrics.value(DELAY, "warning") is None
    assert metrics.value(MISSED, "C3") == 1
