"""Supervision of child processes: start, readiness, log, graceful stop, `kill -9`, restart, and word of every death."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from tuntas_embedded.log_tail import last_log_line
from tuntas_operations.errors import PartFailed

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """How one part is run. All times are seconds.

    `ready` is asked until it says True; None means ready once started. Parts of the highest `stage` are stopped first,
    all of a stage at once. `user` (uid, gid) is whom the part runs as when we are root. `death_signal` is what the
    kernel sends to it should we be killed (Linux).
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool] | None = None
    ready_within_s: float = 60.0
    stage: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 20.0
    death_signal: signal.Signals = signal.SIGKILL
    user: tuple[int, int] | None = None


def _die_with_parent(parent: int, death_signal: int) -> Callable[[], None] | None:
    libc = _LIBC
    if libc is None:
        return None

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


class RunningProcess:
    """One started part. `ended` is set once it has been reaped.

    Until `watch` says True, the starter waits for it and gets its end; from then on `on_end` does. Never both, never
    neither, however soon it ends.
    """

    def __init__(self, spec: ProcessSpec, on_end: "Callable[[RunningProcess], None]") -> None:
        self.spec = spec
        self.stopping = False
        self.ended = threading.Event()
        self._watched = False
        self._watch_lock = threading.Lock()
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        uid, gid = spec.user or (None, None)
        with spec.log.open("ab") as log:
            self._popen = subprocess.Popen(
                list(spec.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(spec.environment),
                cwd=spec.folder,
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=None if spec.user is None else [],
                preexec_fn=_die_with_parent(os.getpid(), spec.death_signal),
            )
        self.pid = self._popen.pid
        threading.Thread(target=self._reap, args=(on_end,), name=f"reap-{spec.name}", daemon=True).start()

    @property
    def exit_code(self) -> int | None:
        """What the process returned (negative: the signal that ended it), None while it runs."""
        return self._popen.returncode if self.ended.is_set() else None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself; one that has ended is left alone."""
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def signal_family(self, number: signal.Signals) -> None:
        """Send a signal to the process and to everything that it started; who has ended is left alone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for member in (psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.send_signal(number)

    def kill(self) -> None:
        """`kill -9` of the process and of everything that it started, and wait until it is gone."""
        self.stopping = True
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self.pid).children(recursive=True)
        self.send(signal.SIGKILL)
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=10)
        self.ended.wait()

    def watch(self) -> bool:
        """Have `on_end` called when it ends from now on; False, and no call, if it has ended already."""
        with self._watch_lock:
            self._watched = not self.ended.is_set()
            return self._watched

    def _reap(self, on_end: "Callable[[RunningProcess], None]") -> None:
        self._popen.wait()
        with self._watch_lock:
            self.ended.set()
            watched = self._watched
        if watched:
            on_end(self)


class Supervisor:
    """Starts, watches and ends the parts of one stack. Thread-safe.

    `on_death(part, sentence)` is called from another thread when a part ends that was started and was not asked to end. One that
    ends before it is ready is the exception of `start` and no death.
    """

    def __init__(self, on_death: Callable[[str, str], None] | None = None) -> None:
        self._running: dict[str, RunningProcess] = {}
        self._specs: dict[str, ProcessSpec] = {}
        self._on_death = on_death
        self._closing = threading.Event()
        self._lock = threading.Lock()
        # The kernel's death signal is tied to the *thread* that started the child: one thread starts them all.
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")
        self._spawner.submit(lambda: None).result()

    def start(self, spec: ProcessSpec) -> RunningProcess:
        """Start a part and wait until it is ready.

        Raises:
            PartFailed: it ended, did not become ready in time, or everything is being stopped.
        """
        process = self._spawner.submit(self._spawn, spec).result()
        deadline = time.monotonic() + spec.ready_within_s
        while spec.ready is not None and not spec.ready():
            if process.ended.wait(_POLL_S):
                break
            if self._closing.is_set():
                raise PartFailed(spec.name, f"{spec.name} was stopped before it was ready")
            if time.monotonic() > deadline:
                process.kill()
                raise PartFailed(
                    spec.name,
                    f"{spec.name} was not ready within {spec.ready_within_s:.0f} s{last_log_line(spec.log)}",
                )
        if not process.watch():
            raise PartFailed(spec.name, f"{spec.name} {_how_ended(process)} before it was ready{last_log_line(spec.log)}")
        return process

    def run(self, spec: ProcessSpec) -> None:
        """Run a program to its end, which is never reported as a death: the caller gets it.

        Raises:
            PartFailed: it failed, took longer than `ready_within_s`, or everything is being stopped.
        """
        process = self._spawner.submit(self._spawn, spec).result()
        deadline = time.monotonic() + spec.ready_within_s
        while not process.ended.wait(_POLL_S):
            if self._closing.is_set() or time.monotonic() > deadline:
                process.kill()
                raise PartFailed(spec.name, f"{spec.name} did not end within {spec.ready_within_s:.0f} s{last_log_line(spec.log)}")
        with self._lock:
            del self._running[spec.name]
        if process.exit_code:
            raise PartFailed(spec.name, f"{spec.name} {_how_ended(process)}{last_log_line(spec.log)}")

    def is_closing(self) -> bool:
        """Whether everything is being stopped."""
        return self._closing.is_set()

    def _spawn(self, spec: ProcessSpec) -> RunningProcess:
        with self._lock:
            if self._closing.is_set():
                raise PartFailed(spec.name, f"{spec.name} was not started: the stack is being stopped")
            old = self._running.get(spec.name)
            if old is not None and not old.ended.is_set():
                raise PartFailed(spec.name, f"{spec.name} runs already (process {old.pid}): stop it first")
            try:
                process = RunningProcess(spec, self._ended)
            except OSError as error:
                raise PartFailed(
                    spec.name,
                    f"{spec.name} could not be started: {error.strerror or error}: {spec.command[0]}",
                ) from error
            self._running[spec.name] = process
            self._specs[spec.name] = spec
            return process

    def _ended(self, process: RunningProcess) -> None:
        if process.stopping or self._closing.is_set() or self._on_death is None:
            return
        name = process.spec.name
        self._on_death(name, f"{name} {_how_ended(process)}{last_log_line(process.spec.log)}")

    def process(self, name: str) -> RunningProcess:
        """The latest process of a part.

        Raises:
            KeyError: no such part was ever started.
        """
        return self._running[name]

    def names(self) -> list[str]:
        """Every part, in the order of its first start."""
        return list(self._running)

    def stop(self, name: str) -> None:
        """End one part gracefully; past its time, by force."""
        self._stop_all_of([self._running[name]])

    def kill(self, name: str) -> None:
        """`kill -9` a part with everything that it started."""
        self._running[name].kill()

    def restart(self, name: str) -> RunningProcess:
        """Start a part again as it was started before, after ending it if it runs."""
        self.stop(name)
        return self.start(self._specs[name])

    def stop_all(self) -> None:
        """End everything, the highest stage first. Nothing can be started afterwards."""
        with self._lock:
            self._closing.set()
        running = list(self._running.values())
        for stage in sorted({process.spec.stage for process in running}, reverse=True):
            self._stop_all_of([process for process in running if process.spec.stage == stage])
        self._spawner.shutdown()

    @staticmethod
    def _stop_all_of(processes: Iterable[RunningProcess]) -> None:
        asked = [process for process in processes if not process.ended.is_set()]
        for process in asked:
            process.stopping = True
            process.send(process.spec.stop_signal)
            process.signal_family(signal.SIGCONT)  # one that is frozen would not hear it
        begun = time.monotonic()
        for process in asked:
            left = process.spec.stop_within_s - (time.monotonic() - begun)
            if not process.ended.wait(max(left, 0.0)):
                process.kill()


def _how_ended(process: RunningProcess) -> str:
    code = process.exit_code or 0
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
