"""What the stack and this process have used, from the operating system's accounting."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from tuntas_devstack.state import Part

_HERE = "demo"


@dataclass(frozen=True, slots=True)
class Usage:
    """Megabytes now, and CPU-seconds since the start by part; `demo` is this process, which plays everybody."""

    memory_mb: int
    cpu_s: dict[str, float]


def usage(parts: Iterable[Part]) -> Usage:
    """Of all parts with their children and of this process; memory that they share is counted once, where the system tells (Linux)."""
    families = {_HERE: [psutil.Process()]}
    for part in parts:
        if part.pid is not None:
            parent = psutil.Process(part.pid)
            families[part.name] = [parent, *parent.children(recursive=True)]
    memory = sum(_bytes_of(process) for family in families.values() for process in family)
    return Usage(memory // 1_000_000, {name: round(sum(map(_cpu_of, family)), 1) for name, family in families.items()})


def _bytes_of(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


def _cpu_of(process: psutil.Process) -> float:
    """With its children that have ended, but for this process, whose children are the parts."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    own: float = times.user + times.system
    return own if process.pid == psutil.Process().pid else own + times.children_user + times.children_system
