"""The data folder of one stack: where things lie in it, who holds it, and the secrets kept in it."""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuntas_operations.errors import DiskFull, FolderInUse, StackError

DEFAULT_FOLDER = Path(".tuntas")
_LEAST_FREE_BYTES = 1_000_000_000
_LOOKED_AT_S = 0.5


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read; it appears whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)


def make_random(kind: str) -> str:
    """A new secret: `password` is URL-safe text, `key` is base64 of 32 random bytes."""
    return secrets.token_urlsafe(24) if kind == "password" else base64.b64encode(secrets.token_bytes(32)).decode()


class StackFolder:
    """The folder of one stack. Made when first used; held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.logs = self.path / "logs"
        self.traces = self.path / "traces"
        self.clock = self.path / "clock"
        self.mail = self.path / "mail.jsonl"
        self._lock_file = self.path / "lock"
        self._secrets_file = self.path / "secrets.json"
        self._lock: int | None = None
        self._secrets_lock = threading.Lock()

    @property
    def id(self) -> str:
        """A short name that is the same for the same path and differs for others."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    def make(self) -> None:
        """Make the folder; others may pass through it (PostgreSQL does not run as root) but not list it.

        Raises:
            StackError: it can't be made or written to.
            DiskFull: less than 1 GB is free.
        """
        try:
            self.path.mkdir(mode=0o711, parents=True)
        except FileExistsError:
            if not self.path.is_dir():
                raise StackError(f"{self.path} is a file: name a folder with --folder") from None
        except OSError as error:
            raise StackError(f"the data folder {self.path} can't be made: {error.strerror}: name another with --folder") from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StackError(f"the data folder {self.path} can't be written to: name another with --folder")
        free = shutil.disk_usage(self.path).free
        if free < _LEAST_FREE_BYTES:
            raise DiskFull(
                f"only {free // 1_000_000} MB are free on the disk of {self.path}, and the stack needs "
                f"{_LEAST_FREE_BYTES // 1_000_000}: free some room or name another folder with --folder"
            )
        for part in (self.logs, self.traces):
            part.mkdir(mode=0o700, exist_ok=True)

    def hold(self) -> None:
        """Take the folder for this process until it ends or lets go.

        Raises:
            FolderInUse: another process holds it.
        """
        # Not inheritable: a child that outlived us would hold the folder.
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOOKED_AT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Someone who only asks whether it is held has it for an instant.
                if time.monotonic() < deadline:
                    time.sleep(_LOOKED_AT_S / 10)
                    continue
            holder = os.pread(descriptor, 32, 0).decode() or "unknown"
            os.close(descriptor)
            raise FolderInUse(
                f"the folder {self.path} is in use by another running stack (process {holder}): "
                "end it with `tuntas down`, or name another folder with --folder"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._lock = descriptor

    def let_go(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def holder(self) -> int | None:
        """The process that holds the folder now, None if nobody does."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError):
                return int(os.pread(descriptor, 32, 0))
            return None
        finally:
            os.close(descriptor)
        return None

    def secret(self, name: str, kind: str = "password") -> str:
        """A secret of this folder, made at the first asking. Call only while holding the folder."""
        with self._secrets_lock:
            kept = self._secrets()
            if name not in kept:
                kept[name] = make_random(kind)
                write_private(self._secrets_file, json.dumps(kept, indent=1))
            return kept[name]

    def _secrets(self) -> dict[str, str]:
        try:
            kept: dict[str, str] = json.loads(self._secrets_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StackError(f"{self._secrets_file} can't be read ({error}): put it back, or remove the folder to start again") from error
        return kept

    def remember(self, name: str, value: Any) -> None:
        """Keep a small piece of JSON under a name, for the next start."""
        write_private(self.path / f"{name}.json", json.dumps(value, indent=1))

    def recall(self, name: str) -> Any:
        """What was remembered under a name, None if nothing or nothing readable."""
        try:
            return json.loads((self.path / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        """Delete the folder with all that is in it. Call only while holding it."""
        shutil.rmtree(self.path)

    @contextlib.contextmanager
    def held(self) -> Iterator["StackFolder"]:
        """Make and hold the folder for the time of a `with` block."""
        self.make()
        self.hold()
        try:
            yield self
        finally:
            self.let_go()
