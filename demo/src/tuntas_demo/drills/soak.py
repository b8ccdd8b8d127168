"""The soak: a day and more on the simulated clock, with a random fault in every round; then memory, tables and differences."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from time import monotonic

import psutil

from tuntas_demo.drills.counting import Filed
from tuntas_demo.drills.model import DrillFailed
from tuntas_demo.drills.scene import Scene
from tuntas_demo.drills.soak_faults import LOSING, WATCHED, faults_of
from tuntas_devstack.state import read_databases
from tuntas_operations.reconciliation import Reconciler

GROWTH = 0.10
"""How much the memory of a service may grow after the first tenth of the soak, as a share."""
_REAL_S = 560.0
_REPORTS_A_ROUND = 12
_SHORTEST = timedelta(minutes=10)
_IDLE_SHARE = 0.1
_ROWS_A_RECORD = 6
_ROWS_BESIDE = 200


@dataclass(slots=True)
class Soak:
    """What a soak showed: memory (bytes) of each service round by round, rows of each table, faults that were brought about."""

    hours: float
    seed: int
    rounds: int = 0
    reports: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    memory: dict[str, list[int]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    idle_growth: dict[str, int] = field(default_factory=dict)

    def growth(self) -> dict[str, float]:
        """By which share each service's memory grew: the median of the last tenth against that of the second tenth."""
        return {part: _growth(samples) for part, samples in self.memory.items()}

    def lines(self) -> list[str]:
        """The table of memory."""
        heading = f"{'service':<12} {'after a tenth':>14} {'at the end':>12} {'growth':>8}"
        rows = [
            f"{part:<12} {_mb(after_a_tenth(s)):>11} MiB {_mb(at_the_end(s)):>8} MiB {_growth(s):>8.1%}" for part, s in self.memory.items()
        ]
        return [heading, *rows]


def _tenth(samples: Sequence[int]) -> int:
    return max(len(samples) // 10, 1)


def after_a_tenth(samples: Sequence[int]) -> float:
    """The median of the second tenth of the samples."""
    tenth = _tenth(samples)
    return median(samples[tenth : 2 * tenth] or samples)


def at_the_end(samples: Sequence[int]) -> float:
    """The median of the last tenth of the samples."""
    return median(samples[-_tenth(samples) :])


def _growth(samples: Sequence[int]) -> float:
    return at_the_end(samples) / after_a_tenth(samples) - 1


def _mb(size: float) -> str:
    return f"{size / 2**20:.0f}"


async def soak(scene: Scene, hours: float, seed: int) -> Soak:
    """Let so many hours of business time pass, in at most about ten minutes.

    Raises:
        DrillFailed: memory or tables grow, something is lost, or `reconcile` finds a difference.
    """
    result, began, wholly = Soak(hours, seed), monotonic(), timedelta(hours=hours)
    faults = faults_of(scene)
    passed, open_cases = timedelta(), list[Filed]()
    rows_before: dict[str, int] = {}
    records_before = 0
    while passed < wholly:
        round_began, idle = monotonic(), passed >= wholly * (1 - _IDLE_SHARE)
        if idle and not rows_before:
            await scene.wait_until_idle()
            rows_before, records_before = await scene.databases.row_counts(), _records(scene)
        if not idle:
            name = scene.rng.choice(list(faults))
            result.faults[name] = result.faults.get(name, 0) + 1
            scene.say(f"round {result.rounds + 1}: {name}")
            doing = asyncio.create_task(faults[name](scene))
            open_cases = await _work(scene, open_cases)
            await doing
        await scene.wait_until_idle()
        for part in WATCHED:
            pid = scene.stack.state.part(part).pid
            result.memory.setdefault(part, []).append(psutil.Process(pid).memory_info().rss)
        result.rounds += 1
        left_s = max(_REAL_S - (monotonic() - began), 1.0)
        step = min(max((wholly - passed) * ((monotonic() - round_began) / left_s), _SHORTEST), wholly - passed, wholly * 0.05)
        scene.pass_time(step)
        passed += step
        if result.rounds % 5 == 0:
            scene.say(f"{passed / timedelta(hours=1):.1f} of {hours:.0f} hours, round {result.rounds}, {len(scene.clients.filed)} reports")
    await scene.verdict()
    result.rows, result.reports = await scene.databases.row_counts(), len(scene.clients.filed)
    result.idle_growth = {table: count - rows_before.get(table, 0) for table, count in result.rows.items()}
    result.seconds = monotonic() - began
    await _judge(scene, result, _records(scene) - records_before)
    return result


async def _work(scene: Scene, open_cases: list[Filed]) -> list[Filed]:
    """New reports come in, and older ones are accepted and answered; gives those that are still open."""
    filed = await scene.file(_REPORTS_A_ROUND)
    worked = open_cases[: _REPORTS_A_ROUND // 2]
    for report in worked:
        await scene.clients.accept(report)
        await scene.clients.answer(report)
    return [*open_cases[len(worked) :], *filed]


def _records(scene: Scene) -> int:
    return len(scene.log.records)


async def _judge(scene: Scene, result: Soak, records_while_idle: int) -> None:
    wrong = [f"the memory of {part} grew by {share:.1%}" for part, share in result.growth().items() if share > GROWTH]
    most = records_while_idle * _ROWS_A_RECORD + _ROWS_BESIDE
    wrong += [f"{table} grew by {rows} rows without load" for table, rows in result.idle_growth.items() if rows > most]
    reconciler = Reconciler(scene.stack.state.kafka, read_databases(scene.stack.folder), scene.stack.kafka_client())
    try:
        compared = await reconciler.round(in_flight_s=0)
    finally:
        reconciler.close()
    gone = {report.case_id for report in scene.clients.filed.values() if report.agency == LOSING}  # with the topic that was deleted
    found = Counter(d.kind for d in compared.differences if not (d.kind == "not_delivered" and str(d.case_id) in gone))
    if found:
        wrong.append(f"reconcile finds {dict(found)}")
    for line in result.lines():
        scene.say(line)
    if wrong:
        raise DrillFailed("; ".join(wrong))
