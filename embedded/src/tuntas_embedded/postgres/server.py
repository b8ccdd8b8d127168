"""One PostgreSQL server in a folder: initialised at the first start, then run as a supervised process."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg
import psutil

from tuntas_embedded.folder import StackFolder
from tuntas_embedded.ports import LOOPBACK, accepts
from tuntas_embedded.postgres.account import Account, account_for, bare_environment, run_as
from tuntas_embedded.postgres.apart import run_apart
from tuntas_embedded.postgres.data_dir import data_dir_of, make_data_dir
from tuntas_embedded.postgres.programs import Programs, find_programs
from tuntas_embedded.processes import ProcessSpec
from tuntas_operations.errors import PartFailed

SUPERUSER = "postgres"
_INIT_WITHIN_S = 120
_LEFTOVER_WITHIN_S = 20

# Durable as shipped (fsync, synchronous_commit, full_page_writes stay on); sized for 2 processors and a few GB.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "synchronous_commit": "on",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    # Inbox and outbox tables turn over all the time.
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_cost_delay": "1ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
}
_SETTINGS_SINCE_18 = {"io_method": "sync"}


class PostgresServer:
    """PostgreSQL with its data under `folder`; what was committed survives any end and start."""

    name = "postgres"

    def __init__(self, folder: StackFolder, port: int, log: Path) -> None:
        self._folder = folder
        self._port = port
        self._log = log
        self._password = folder.secret("postgres")
        self.address = f"{LOOPBACK}:{port}"
        self.admin_url = f"postgresql://{SUPERUSER}:{self._password}@{self.address}/postgres"

    def prepare(self) -> ProcessSpec:
        """Find the programs, initialise the data at the first start, clear what an earlier life left; gives what to run.

        Raises:
            StackError: no programs, no place, or the data can't be initialised.
        """
        account = account_for(data_dir_of(self._folder) / "data")
        programs = find_programs(account)
        home = make_data_dir(self._folder, account)
        data = home / "data"
        if data.exists():
            _end_leftover(data)
        else:
            self._initialise(programs, account, home, data)
        settings = _SETTINGS | (_SETTINGS_SINCE_18 if programs.major >= 18 else {})
        command = [programs.path("postgres"), "-D", str(data), "-p", str(self._port)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        return ProcessSpec(
            name=self.name,
            command=command,
            log=self._log,
            environment=bare_environment(),
            folder=Path("/"),
            ready=self._answers,
            ready_within_s=120,  # recovery after kill -9 under load
            stop_signal=signal.SIGINT,  # "fast": sessions are ended, not waited for
            stop_within_s=60,
            death_signal=signal.SIGQUIT,  # its own children and shared memory go with it
            user=None if account is None else (account.uid, account.gid),
        )

    def _answers(self) -> bool:
        return accepts(self._port, within_s=0.2) and run_apart(_connects(self.admin_url))

    def _initialise(self, programs: Programs, account: Account | None, home: Path, data: Path) -> None:
        draft, password_file = home / "data.new", home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file.unlink(missing_ok=True)
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._password)
        if account is not None:
            os.chown(draft, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        command = [
            programs.path("initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        if programs.major >= 17:
            # The same order of texts on every machine, whatever its C library.
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            result = run_as(account, command, _INIT_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise PartFailed(self.name, f"initdb did not end within {_INIT_WITHIN_S} s in {home}") from None
        finally:
            password_file.unlink(missing_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(result.stdout)
        if result.returncode:
            lines = result.stdout.strip().splitlines() or ["it said nothing"]
            reason = next((line for line in lines if "error:" in line), lines[-1])
            raise PartFailed(self.name, f"the database can't be initialised: {reason} (see {self._log})")
        draft.rename(data)


async def _connects(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


def _end_leftover(data: Path) -> None:
    """End a server that still runs on these data, and forget one that a `kill -9` left only the name of.

    Whoever calls holds the stack's folder, so such a server is nobody's.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
        ours = "postgres" in process.name() and str(data) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return  # no file, or nobody of that name: the server clears the file itself
    if not ours:
        # The number now belongs to another program, which the server would take for its former self.
        lock.unlink(missing_ok=True)
        return
    family = process.children(recursive=True)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs([process, *family], timeout=_LEFTOVER_WITHIN_S)
    for member in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(alive, timeout=10)
