"""The line of a log that best says why its writer ended."""

import os
from pathlib import Path

_TAIL_BYTES = 16_384
_LONGEST = 300
_MARKERS = ("error", "exception", "fatal", "failed", "cannot", "can't", "refused", "in use")


def last_log_line(log: Path) -> str:
    """`: <the last line with an error> (see <log>)`, to be put behind a sentence; only the log's path if it is empty."""
    where = f" (see {log})"
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            tail = file.read().decode("utf-8", "replace")
    except OSError:
        return where
    lines = [line for line in tail.splitlines() if line.strip() and not line.startswith((" ", "\t"))]
    if not lines:
        return where
    marked = [line for line in lines[-40:] if any(word in line.lower() for word in _MARKERS)]
    return f": {(marked or lines)[-1].strip()[:_LONGEST]}{where}"
