"""Whom PostgreSQL runs as: it refuses to run as root, so root lends it an account that already exists."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuntas_operations.errors import MissingProgram

_LENT = ("postgres", "nobody")
_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Account:
    """An account other than ours; None in its place means ourselves."""

    name: str
    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """The account to run as: the owner of existing data, else one that exists; None when we are not root.

    Raises:
        MissingProgram: we are root and no suitable account exists.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        owner = data.stat().st_uid
        if owner != 0:
            found = pwd.getpwuid(owner)
            return Account(found.pw_name, found.pw_uid, found.pw_gid)
    for name in _LENT:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return Account(name, found.pw_uid, found.pw_gid)
    raise MissingProgram(
        f"PostgreSQL does not run as root, and this machine has none of the accounts {', '.join(_LENT)}: "
        "run as another user, or point TUNTAS_DATABASE at a server that runs"
    )


def run_as(account: Account | None, command: Sequence[str], within_s: float) -> subprocess.CompletedProcess[str]:
    """Run a command as the account with a bare environment, and give what it said.

    Raises:
        OSError: it can't be started (also: the account can't reach the program).
        subprocess.TimeoutExpired: it took too long.
    """
    return subprocess.run(
        list(command),
        env=bare_environment(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=within_s,
        check=False,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )


def bare_environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nothing of ours, so that no `PG…` variable changes them."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def can_pass(account: Account | None, folder: Path) -> bool:
    """Whether the account can go through `folder` and all above it, as the kernel sees it."""
    if account is None:
        return os.access(folder, os.X_OK)
    return run_as(account, [_SHELL, "-c", 'test -x "$0"', str(folder)], 10).returncode == 0
