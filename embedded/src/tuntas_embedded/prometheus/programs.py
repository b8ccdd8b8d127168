"""Prometheus and promtool: the machine's, or those of Debian's package unpacked once below the repository's `.tools`.

Unpacking needs no root and installs nothing: the package's two programs need only the C library.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tuntas_operations.errors import MissingProgram

REPOSITORY = Path(__file__).resolve().parents[4]
PACKAGE = "prometheus"
_FOLDER = Path(".tools") / "prometheus"
_WITHIN_S = 300

Unpack = Callable[[Path], None]
"""Fetches the package and unpacks it into an empty folder; raises MissingProgram."""


def find_prometheus() -> Path:
    """The program `prometheus`. Raises MissingProgram with what to install."""
    return find_program("prometheus")


def find_promtool() -> Path:
    """The program `promtool`, which checks rules and runs their tests. Raises MissingProgram with what to install."""
    return find_program("promtool")


def find_program(
    name: str,
    environment: Mapping[str, str] = os.environ,
    *,
    tools: Path = REPOSITORY / _FOLDER,
    unpack: Unpack | None = None,
) -> Path:
    """A program of the package: on the path, else below `tools`, where it is brought first if it is not there.

    Raises:
        MissingProgram: it is nowhere and can't be brought; the sentence says what to install.
    """
    if found := shutil.which(name, path=environment.get("PATH")):
        return Path(found)
    unpacked = tools / "usr" / "bin" / name
    if not unpacked.exists():
        _bring(tools, unpack or unpack_debian_package)
    if not os.access(unpacked, os.X_OK):
        raise _missing(f"{tools} holds no program {name}")
    return unpacked


def _bring(tools: Path, unpack: Unpack) -> None:
    try:
        tools.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpack-", dir=tools.parent) as scratch:
            draft = Path(scratch) / "unpacked"
            draft.mkdir()
            unpack(draft)
            try:
                draft.rename(tools)
            except OSError:
                if not (tools / "usr" / "bin").is_dir():  # otherwise somebody else was quicker
                    raise
    except OSError as error:
        raise _missing(f"{tools} can't be written: {error.strerror or error}") from error


def unpack_debian_package(target: Path) -> None:
    """Fetch Debian's package with apt and unpack it, neither as root nor into the system. Raises MissingProgram."""
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        raise _missing("this is no Debian or Ubuntu machine, whose package could be unpacked")
    with tempfile.TemporaryDirectory(prefix="tuntas-prometheus-") as scratch:
        _run([apt, "download", "--quiet", PACKAGE], Path(scratch))
        packages = list(Path(scratch).glob("*.deb"))
        if not packages:
            raise _missing(f"apt-get brought no package {PACKAGE}")
        _run([dpkg, "--extract", str(packages[0]), str(target)], Path(scratch))
    # the archive's root carries its own rights, which would keep others out of what is unpacked
    target.chmod(0o755)


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_WITHIN_S)
        complaints = done.stderr.strip().splitlines() if done.returncode else []
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        complaints, failed = [str(error)], True
    if failed:
        reason = re.sub(r"^E: ", "", complaints[-1]) if complaints else "it gave no reason"
        raise _missing(f"{Path(command[0]).name} could not bring it: {reason}")


def _missing(why: str) -> MissingProgram:
    return MissingProgram(
        f"Prometheus is not on this machine ({why}): install it so that `prometheus` and `promtool` are on PATH "
        f"(Debian and Ubuntu: apt-get install {PACKAGE})"
    )
