"""Background loops: what is away is waited for and shown, what is an error of ours is counted, and neither ends the loop."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.support.waiting import until
from tuntas_chassis.jobs import RESTARTS, WAITING, BackgroundLoops, is_outage
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet

AWAY = [
    ConnectionRefusedError("refused"),
    OperationalError("SELECT 1", None, Exception("gone")),
    PoolTimeout("every connection is taken"),
    KafkaConnectionError("no broker"),
    asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.IdleInTransactionSessionTimeoutError("terminating connection due to idle-in-transaction timeout"),
    TimeoutError(),
]
OURS = [KeyError("kind"), ValueError("unknown level"), asyncpg.UniqueViolationError("twice"), FileNotFoundError("templates/none.txt")]


class Job:
    """Raises what it is given, one a round; then works."""

    def __init__(self, errors: Iterable[Exception]) -> None:
        self._errors = list(errors)
        self.rounds = 0

    async def __call__(self) -> float | None:
        """One round."""
        self.rounds += 1
        if self._errors:
            raise self._errors.pop(0)
        return 0.01


@pytest.fixture
def metrics() -> MetricSet:
    return MetricSet(CHASSIS_METRICS)


async def _run(metrics: MetricSet, job: Job, seen: Callable[[], object]) -> None:
    loops, stopping = BackgroundLoops(metrics), asyncio.Event()
    loops.declare("gauges")
    running = asyncio.create_task(loops.keep_running("gauges", loops.periodic("gauges", 60, job), stopping))

    async def condition() -> object:
        return seen()

    await until(condition, "the loop has come so far")
    stopping.set()
    await running


@pytest.mark.parametrize("error", AWAY, ids=lambda e: type(e).__name__)
async def test_an_unreachable_server_is_waited_for_and_counts_as_no_restart(metrics: MetricSet, error: Exception) -> None:
    job, shown = Job([error]), []

    def over() -> bool:
        shown.append(metrics.value(WAITING, "gauges"))
        return job.rounds > 3

    await _run(metrics, job, over)
    assert 1 in shown
    assert metrics.value(WAITING, "gauges") == 0, "it is over"
    assert metrics.value(RESTARTS, "gauges") == 0


@pytest.mark.parametrize("error", OURS, ids=lambda e: type(e).__name__)
async def test_an_internal_error_is_counted_and_the_loop_continues(metrics: MetricSet, error: Exception) -> None:
    job = Job([error])
    await _run(metrics, job, lambda: job.rounds > 3)
    assert metrics.value(RESTARTS, "gauges") == 1
    assert metrics.value(WAITING, "gauges") == 0


async def test_it_ends_while_it_waits(metrics: MetricSet) -> None:
    job = Job([ConnectionRefusedError()] * 1000)
    await asyncio.wait_for(_run(metrics, job, lambda: job.rounds > 1), 60)


@pytest.mark.parametrize("error", [*AWAY, *OURS], ids=lambda e: type(e).__name__)
def test_only_transient_errors_of_servers_are_an_outage(error: Any) -> None:
    assert is_outage(error) == (error in AWAY)
