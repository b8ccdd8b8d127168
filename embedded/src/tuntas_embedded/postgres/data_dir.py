"""Where the database's files lie: in the stack's folder, or beside it if the account can't get there."""

import json
import os
import shutil
from pathlib import Path

from tuntas_embedded.folder import StackFolder, write_private
from tuntas_embedded.postgres.account import Account, can_pass
from tuntas_embedded.postgres.programs import own_place
from tuntas_operations.errors import StackError

_MARK = "belongs-to"


def data_dir_of(folder: StackFolder) -> Path:
    """The folder that holds this stack's `data`, as far as it is known: where it was put, or where it would be put."""
    kept = folder.recall("postgres")
    if isinstance(kept, dict) and Path(str(kept.get("home"))).is_dir():
        return Path(str(kept["home"]))
    return folder.path / "postgres"


def make_data_dir(folder: StackFolder, account: Account | None) -> Path:
    """Make the home where the account can reach it, without changing a permission of anything above it.

    A stack under a home folder that is closed to others gets it in a folder of ours, under the machine's lasting
    temporary files; what an earlier folder of the same path left there is removed.

    Raises:
        StackError: no place can be had, or the data belong to another user.
    """
    home = data_dir_of(folder)
    if not can_pass(account, folder.path):
        home = _data_dir_elsewhere(folder, account)
    home.mkdir(mode=0o711, exist_ok=True)
    data = home / "data"
    if account is None and data.exists() and data.stat().st_uid != os.geteuid():
        raise StackError(f"the database in {data} belongs to another user: run as that user (or root), or name another folder")
    folder.remember("postgres", {"home": str(home)})
    return home


def _data_dir_elsewhere(folder: StackFolder, account: Account | None) -> Path:
    for place in own_place("databases"):
        if not can_pass(account, place):
            continue
        home = place / folder.id
        mark = json.dumps({"folder": str(folder.path), "token": folder.secret("postgres-home")})
        _sweep(place)
        if home.exists() and _mark_of(home) != mark:
            shutil.rmtree(home)
        home.mkdir(mode=0o711, exist_ok=True)
        write_private(home / _MARK, mark)
        return home
    raise StackError(
        f"PostgreSQL, which does not run as root, can't reach {folder.path} nor any place for temporary files: "
        "name a folder that every user can pass through"
    )


def _mark_of(home: Path) -> str:
    try:
        return (home / _MARK).read_text(encoding="utf-8")
    except OSError:
        return ""


def _sweep(place: Path) -> None:
    """Remove databases whose stack's folder was deleted: without its passwords nobody can use them."""
    for home in place.iterdir():
        try:
            folder = Path(json.loads(_mark_of(home))["folder"])
        except (ValueError, KeyError, TypeError):
            continue
        if not folder.exists() and not (home / "data" / "postmaster.pid").exists():
            shutil.rmtree(home, ignore_errors=True)


def remove_data_dir(folder: StackFolder) -> None:
    """Delete the database's files. Call only when the server has ended."""
    home = data_dir_of(folder)
    if home.is_dir():
        shutil.rmtree(home)
