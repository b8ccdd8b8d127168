"""Kafka's jars: listed in `jars.txt` with their SHA-256, fetched by coordinate, kept in the user's cache folder.

The list is the resolution of Maven itself. `jgo` only fetches each file (honouring the repositories of the user's jgo
settings); its own transitive resolution gives other versions and is never used.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tuntas_operations.errors import DiskFull, FetchFailed

KAFKA_VERSION = "4.3.1"
_PARALLEL = 8
_TRIES = 3
_ENOSPC = 28


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: its Maven coordinate and the SHA-256 (hex) that it must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of its file in a Maven repository and in our cache."""
        return f"{self.artifact}-{self.version}.jar"


Fetch = Callable[[Jar, Path], Path]
"""Fetches a jar into an empty scratch folder and gives its file; raises RepositoryUnreachable, another OSError, or FetchFailed."""


def listed_jars() -> Sequence[Jar]:
    """The jars of `jars.txt`, in its order."""
    text = files(__package__).joinpath("jars.txt").read_text(encoding="utf-8")
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, sha256))
    return jars


def cache_folder() -> Path:
    """Where fetched files are kept: `$XDG_CACHE_HOME/tuntas`, or `~/.cache/tuntas`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tuntas"


class RepositoryUnreachable(OSError):
    """The Maven repository did not answer; another try may succeed."""


def fetch_from_maven(jar: Jar, scratch: Path) -> Path:
    """Fetch one jar by its coordinate, nothing else."""
    # Half a second to import, needed once on a machine.
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    remotes = GlobalSettings.load().repositories or None
    context = MavenContext(repo_cache=scratch, remote_repos=remotes, timeout=30)
    try:
        return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except requests.RequestException as error:
        raise RepositoryUnreachable(str(error)) from error
    except RuntimeError as error:
        raise FetchFailed(
            f"{jar.file_name}, a part of Kafka {KAFKA_VERSION}, is in none of the Maven repositories that were asked: {error}"
        ) from error


def sha256_of(path: Path) -> str | None:
    """The SHA-256 (hex) of a file, None if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def class_path(
    cache: Path | None = None,
    *,
    fetch: Fetch = fetch_from_maven,
    on_fetch: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Kafka's class path; whatever is missing or not as listed is fetched first, in parallel.

    `on_fetch` is called with how many jars are about to be fetched; once `cancelled` says True no further one is begun.

    Raises:
        FetchFailed: no network, not in the repository, or not the file with the listed SHA-256.
        DiskFull: no room in the cache.
    """
    folder = (cache or cache_folder()) / f"kafka-{KAFKA_VERSION}"
    jars = listed_jars()
    with ThreadPoolExecutor(_PARALLEL) as pool:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            hashes = list(pool.map(lambda jar: sha256_of(folder / jar.file_name), jars))
            wanted = [jar for jar, found in zip(jars, hashes, strict=True) if found != jar.sha256]
            if wanted and on_fetch is not None:
                on_fetch(len(wanted))
            list(pool.map(lambda jar: _bring(jar, folder, fetch, cancelled), wanted))
        except BaseException as error:
            pool.shutdown(cancel_futures=True)
            if isinstance(error, OSError):
                raise _said_plainly(error, folder) from error
            raise
    return ":".join(str(folder / jar.file_name) for jar in jars)


def _bring(jar: Jar, folder: Path, fetch: Fetch, cancelled: Callable[[], bool]) -> None:
    for left in reversed(range(_TRIES)):
        if cancelled():
            raise FetchFailed("fetching Kafka was broken off")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
            try:
                fetched = fetch(jar, Path(scratch))
            except RepositoryUnreachable:
                if left:
                    continue
                raise
            if sha256_of(fetched) == jar.sha256:
                fetched.replace(folder / jar.file_name)
                return
    raise FetchFailed(
        f"{jar.file_name} came {_TRIES} times with another SHA-256 than kafka/jars.txt lists, so it is not used: "
        "look at what is between this machine and the Maven repository"
    )


def _said_plainly(error: OSError, folder: Path) -> Exception:
    if error.errno == _ENOSPC:
        return DiskFull(f"there is no room for Kafka's jars in {folder}: free 100 MB, or set XDG_CACHE_HOME")
    if isinstance(error, RepositoryUnreachable):
        return FetchFailed(
            f"Kafka {KAFKA_VERSION} could not be fetched: the Maven repository can't be reached from this machine: "
            "connect to the network once, or point TUNTAS_KAFKA at a broker that runs"
        )
    return FetchFailed(f"the cache folder {folder} can't be used: {error.strerror or error}: set XDG_CACHE_HOME")
