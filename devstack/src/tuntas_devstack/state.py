"""What a running stack writes about itself into its folder: `state.json` for all to read, `databases.json` for its owner."""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import psutil

from tuntas_embedded.folder import StackFolder, write_private
from tuntas_embedded.ports import accepts, answers_ready
from tuntas_operations.errors import NotRunning

Kind = Literal["kafka", "postgres", "mail", "issuer", "service", "prometheus"]
Phase = Literal["starting", "ready", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: `address` is host:port; `url` where it speaks HTTP; no `pid` and `log` where it runs elsewhere."""

    name: str
    kind: Kind
    address: str
    url: str | None = None
    pid: int | None = None
    log: str | None = None

    def health(self) -> str:
        """`ready`, `not ready` (runs, but does not answer or says so itself) or `dead`."""
        if self.pid is not None and not _alive(self.pid):
            return "dead"
        if self.url is not None:
            path = "/-/ready" if self.kind == "prometheus" else "/readyz"
            return "ready" if answers_ready(self.url, path) else "not ready"
        host, _, port = self.address.split(",")[0].rpartition(":")
        return "ready" if accepts(int(port), host) else "not ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """A stack as its folder describes it. `kafka` are bootstrap servers, `issuer` the token issuer's URL."""

    phase: Phase
    supervisor: int
    started_at: str
    kafka: str = ""
    issuer: str = ""
    mail_file: str = ""
    simulated_clock: str | None = None
    agencies: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    def part(self, name: str) -> Part:
        """One part by name; raises KeyError."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)

    def brokers(self) -> tuple[Part, ...]:
        """The brokers: those of the stack, or the one that runs elsewhere."""
        return tuple(part for part in self.parts if part.kind == "kafka")

    def url(self, name: str) -> str:
        """Where a part speaks HTTP; raises KeyError if it does not."""
        url = self.part(name).url
        if url is None:
            raise KeyError(name)
        return url

    def with_part(self, part: Part) -> "StackState":
        """The state with this part in the place of an earlier one of the same name, or added."""
        if any(known.name == part.name for known in self.parts):
            return replace(self, parts=tuple(part if known.name == part.name else known for known in self.parts))
        return replace(self, parts=(*self.parts, part))


def bootstrap_of(brokers: Iterable[Part]) -> str:
    """The addresses of brokers as a client's one setting."""
    return ",".join(part.address for part in brokers)


def write_state(folder: StackFolder, state: StackState) -> None:
    """Write `state.json`, whole."""
    draft = folder.path / ".state.json.new"
    draft.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
    draft.replace(folder.path / "state.json")


def read_state(folder: StackFolder) -> StackState:
    """The state of the stack that holds the folder now.

    Raises:
        NotRunning: none does, or it has only just begun.
    """
    holder = folder.holder()
    kept = folder.recall("state")
    if holder is None or not isinstance(kept, dict) or kept.get("supervisor") != holder:
        raise NotRunning(f"no stack runs in {folder.path}: start one with `tuntas up`")
    fields: dict[str, Any] = kept | {"parts": tuple(Part(**part) for part in kept["parts"]), "agencies": tuple(kept["agencies"])}
    return StackState(**fields)


def write_databases(folder: StackFolder, urls: Mapping[str, str]) -> None:
    """Keep the databases' URLs, with their passwords: by module name, and the server's own under `admin`."""
    write_private(folder.path / "databases.json", json.dumps(dict(urls), indent=1))


def read_databases(folder: StackFolder) -> dict[str, str]:
    """The databases' URLs as they were kept.

    Raises:
        NotRunning: none were, or they are another user's.
    """
    file = folder.path / "databases.json"
    try:
        urls: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotRunning(f"{file} can't be read ({error.strerror}): is it your stack, and was it started?") from error
    return urls


def _alive(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return pid == os.getpid() or psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
