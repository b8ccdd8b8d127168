"""One measurement: send the load, wait until everything is processed, report rates, latencies and costs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import time

import asyncpg

from tuntas_demo.bench.accounting import cpu_seconds, memory_mb, spent
from tuntas_demo.bench.load import Sent, send
from tuntas_demo.bench.watch import Passed, TopicWatch
from tuntas_devstack.kafka.access import client_settings
from tuntas_devstack.state import StackState
from tuntas_embedded.folder import StackFolder

_TIMEOUT_S = 120.0


class Incomplete(Exception):
    """Something that was sent did not arrive; says what and how many."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one run. Latencies are seconds from the moment a request was due; hops are (p50, p95, p99)."""

    reports: int
    seconds: float
    cpu_ms_by_process: dict[str, float]
    memory_mb_by_process: dict[str, float]
    hops: dict[str, tuple[float, float, float]]
    errors: int

    @property
    def reports_per_s(self) -> float:
        """From the first request until the last report is on its agency's topic with its clock armed and notices queued."""
        return self.reports / self.seconds

    @property
    def cpu_ms_per_report(self) -> float:
        """Over all processes, broker and database included, the load generator apart."""
        return sum(self.cpu_ms_by_process.values())


async def measure(
    folder: StackFolder, state: StackState, databases: Mapping[str, str], bodies: Sequence[bytes], rate: float | None
) -> Measurement:
    """Send `bodies` and wait until all of it is done; raises Incomplete after two minutes without an end."""
    watch = await asyncio.to_thread(TopicWatch, state.kafka, client_settings(folder))
    watch.start()
    counts = await _counts(databases)
    before = cpu_seconds(state.parts)
    begun = time()
    try:
        sent = await send(state.url("intake"), bodies, rate=rate)
        finished = await _until_all_is_done(watch.passed, sent, databases, counts)
    finally:
        await asyncio.to_thread(watch.stop)
    after = cpu_seconds(state.parts)
    reports = len(sent.answered)
    return Measurement(
        reports=reports,
        seconds=finished - begun,
        cpu_ms_by_process=spent(before, after, reports),
        memory_mb_by_process=memory_mb(state.parts),
        hops=_hops(sent, watch.passed),
        errors=len(sent.errors),
    )


async def _counts(databases: Mapping[str, str]) -> tuple[int, int]:
    return (
        await _count(databases["sla_monitor"], "SELECT count(*) FROM clock_run WHERE clock = 'C2'"),
        await _count(databases["notifier"], "SELECT count(*) FROM delivery"),
    )


async def _count(url: str, query: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


async def _until_all_is_done(passed: Passed, sent: Sent, databases: Mapping[str, str], before: tuple[int, int]) -> float:
    deadline = time() + _TIMEOUT_S
    wanted = len(sent.answered)
    if not wanted:
        raise Incomplete(f"no report was accepted; the first answer was {sent.errors[:1]}")
    while len(passed.delivered.keys() & sent.answered.keys()) < wanted:
        if time() > deadline:
            missing = wanted - len(passed.delivered.keys() & sent.answered.keys())
            raise Incomplete(f"{missing:,} of {wanted:,} reports are not on their agency's topic after {_TIMEOUT_S:.0f} s")
        await asyncio.sleep(0.02)
    delivered = max(passed.delivered[c] for c in sent.answered)
    while True:
        armed, queued = (now - then for now, then in zip(await _counts(databases), before, strict=True))
        if armed >= wanted and queued >= wanted:
            # the moment is known to within this loop's pause; when all was done before the last delivery, that counts
            return max(delivered, time() if time() - delivered > 0.5 else delivered)
        if time() > deadline:
            raise Incomplete(f"{wanted:,} reports were delivered, but {armed:,} clocks are armed and {queued:,} notices queued")
        await asyncio.sleep(0.2)


def _hops(sent: Sent, passed: Passed) -> dict[str, tuple[float, float, float]]:
    return {
        "http_answer": _percentiles([sent.answered[c] - sent.due[c] for c in sent.answered]),
        "on_cases_topic": _percentiles([t - sent.due[c] for c, t in passed.published.items() if c in sent.due]),
        "forwarded": _percentiles([t - sent.due[c] for c, t in passed.forwarded.items() if c in sent.due]),
        "on_agency_topic": _percentiles([t - sent.due[c] for c, t in passed.delivered.items() if c in sent.due]),
    }


def _percentiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    return tuple(round(ordered[min(int(len(ordered) * q), len(ordered) - 1)], 4) for q in (0.5, 0.95, 0.99))  # type: ignore[return-value]
