"""PostgreSQL itself: committed rows survive `kill -9`, services are kept apart, and nothing outside our folders changes."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from tuntas_embedded.folder import StackFolder
from tuntas_embedded.ports import free_port
from tuntas_embedded.postgres import PostgresServer, provide_databases
from tuntas_embedded.postgres.data_dir import data_dir_of, remove_data_dir
from tuntas_embedded.processes import Supervisor
from tuntas_operations.errors import Unreachable

PASSWORDS = {"intake": "p1", "sla_monitor": "p'2\"%"}


class Running:
    """A server in a folder below one that only its owner may enter, as a checkout in a home folder is."""

    def __init__(self, folder: StackFolder) -> None:
        self.folder = folder
        self.supervisor = Supervisor()
        self.server = self.start()

    def start(self) -> PostgresServer:
        server = PostgresServer(self.folder, free_port(), self.folder.logs / "postgres.log")
        self.supervisor.start(server.prepare())
        return server


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = StackFolder(private / "checkout" / ".tuntas")
    folder.make()
    running = Running(folder)
    yield running
    running.supervisor.stop_all()
    remove_data_dir(folder)


async def execute(url: str, *statements: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


def urls_of(server: PostgresServer) -> dict[str, str]:
    return provide_databases(server.admin_url, PASSWORDS)


async def test_committed_rows_survive_kill_and_restart(running: Running) -> None:
    url = urls_of(running.server)["intake"]
    await execute(url, "CREATE TABLE kept (n int)", "INSERT INTO kept SELECT generate_series(1, 500)", "SELECT 1")
    running.supervisor.kill("postgres")
    running.supervisor.restart("postgres")
    assert await execute(url, "SELECT count(*) FROM kept") == 500


async def test_a_server_left_over_by_a_killed_stack_is_ended_first(running: Running) -> None:
    url = urls_of(running.server)["intake"]
    await execute(url, "CREATE TABLE kept (n int)", "SELECT 1")
    left_over = running.supervisor.process("postgres")
    left_over.stopping = True
    running.supervisor = Supervisor()  # the new stack knows nothing of it
    moved = running.start()
    assert left_over.ended.wait(10)
    assert await execute(urls_of(moved)["intake"], "SELECT count(*) FROM kept") == 0


async def test_a_pid_file_that_names_a_strangers_process_is_no_obstacle(running: Running) -> None:
    running.supervisor.kill("postgres")
    pid_file = data_dir_of(running.folder) / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    moved = running.start()
    assert await execute(moved.admin_url, "SELECT 1") == 1


async def test_a_role_reaches_its_own_database_only(running: Running) -> None:
    urls = urls_of(running.server)
    assert await execute(urls["intake"], "CREATE TABLE t (n int)", "SELECT current_user::text") == "intake"
    assert await execute(urls["sla_monitor"], "SELECT current_database()::text") == "sla_monitor"
    for others in ("sla_monitor", "postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(urls["intake"].removesuffix("/intake") + f"/{others}", "SELECT 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await execute(urls["intake"].replace(":p1@", ":guessed@"), "SELECT 1")


async def test_making_the_databases_again_keeps_what_is_in_them(running: Running) -> None:
    await execute(urls_of(running.server)["intake"], "CREATE TABLE kept (n int)", "SELECT 1")
    assert await execute(urls_of(running.server)["intake"], "SELECT count(*) FROM kept") == 0


async def test_texts_are_utf8_and_commits_are_durable(running: Running) -> None:
    url = urls_of(running.server)["intake"]
    assert await execute(url, "SELECT 'Ciputat – “jalan rusak” 🚧'") == "Ciputat – “jalan rusak” 🚧"
    for setting, value in (("server_encoding", "UTF8"), ("fsync", "on"), ("synchronous_commit", "on")):
        assert await execute(url, f"SHOW {setting}") == value


def test_no_permission_above_our_folder_is_changed_and_root_does_not_run_it(running: Running) -> None:
    private = running.folder.path.parent.parent
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert psutil.Process(running.supervisor.process("postgres").pid).uids().effective != 0
    data = data_dir_of(running.folder) / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    # Nobody but its owner may write to a folder on the way to the data, temporary places with their sticky bit apart.
    for above in data.parents:
        mode = above.stat().st_mode
        assert not mode & 0o022 or mode & stat.S_ISVTX


def test_a_server_that_does_not_answer_is_said() -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        provide_databases(f"postgresql://postgres:x@127.0.0.1:{free_port()}/postgres", PASSWORDS)


async def test_it_ends_in_good_order_though_a_session_is_open(running: Running) -> None:
    session = await asyncpg.connect(running.server.admin_url)
    process = running.supervisor.process("postgres")
    await asyncio.to_thread(running.supervisor.stop, "postgres")
    assert process.exit_code == 0
    session.terminate()
