"""Processor time by part, from the operating system's accounting."""

from collections.abc import Iterable, Mapping

import psutil

from tuntas_devstack.state import Part


def cpu_seconds(parts: Iterable[Part]) -> dict[str, float]:
    """User and system seconds of each part with everything that it started and has already ended, by the part's name."""
    return {part.name: _of_family(part.pid) for part in parts if part.pid is not None}


def _of_family(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for member in family:
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # children_* holds what ended children cost, so that a connection that was closed meanwhile still counts
        total += times.user + times.system + getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return total


def spent(before: Mapping[str, float], after: Mapping[str, float], reports: int) -> dict[str, float]:
    """CPU-ms per report by part, between two readings."""
    return {name: round((after[name] - before.get(name, 0.0)) * 1000 / reports, 3) for name in after}


def memory_mb(parts: Iterable[Part]) -> dict[str, float]:
    """Memory of each part's own (proportional where shared), in MB."""
    return {part.name: round(_memory(part.pid) / 1e6, 1) for part in parts if part.pid is not None}


def _memory(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        return float(sum(member.memory_full_info().pss for member in [process, *process.children(recursive=True)]))
    except psutil.NoSuchProcess:
        return 0.0
