"""A stack's folder is held by one, keeps secrets to its owner, and says why it can't be used."""

import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuntas_devstack.state import Part, StackState, read_state, write_state
from tuntas_embedded.folder import StackFolder
from tuntas_embedded.log_tail import last_log_line
from tuntas_embedded.ports import free_port, is_free
from tuntas_embedded.postgres.account import account_for
from tuntas_embedded.postgres.data_dir import make_data_dir, remove_data_dir
from tuntas_operations.errors import DiskFull, FolderInUse, NotRunning, StackError


def test_only_one_process_holds_a_folder(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    holding = (
        "import sys; from pathlib import Path; from tuntas_embedded.folder import StackFolder\n"
        "with StackFolder(Path(sys.argv[1])).held(): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", holding, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    assert folder.holder() == other.pid
    with pytest.raises(FolderInUse, match=rf"process {other.pid}\).*tuntas down"):
        folder.hold()
    other.kill()
    other.communicate()
    assert folder.holder() is None
    with folder.held():
        assert folder.holder() is not None


def test_secrets_stay_the_same_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    with folder.held():
        with ThreadPoolExecutor(8) as pool:
            given = list(pool.map(folder.secret, ["a", "b", "a", "c", "b", "a"]))
        again = [StackFolder(folder.path).secret(name) for name in "abc"]
    assert [given[0], given[1], given[3]] == again
    assert len(set(given)) == 3
    assert stat.S_IMODE((folder.path / "secrets.json").stat().st_mode) == 0o600


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "stack").write_text("")
    with pytest.raises(StackError, match="is a file"):
        StackFolder(tmp_path / "stack").make()


def test_a_disk_with_too_little_room_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuntas_embedded.folder._LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(DiskFull, match="MB are free"):
        StackFolder(tmp_path / "stack").make()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another account")
def test_a_database_outside_of_its_deleted_folder_is_removed_by_the_next_stack(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    homes = []
    for name in ("deleted", "next"):
        folder = StackFolder(tmp_path / name)
        with folder.held():
            homes.append(make_data_dir(folder, account_for(folder.path / "none")))
        (homes[-1] / "data").mkdir()
        if name == "deleted":
            shutil.rmtree(folder.path)
    assert [home.exists() for home in homes] == [False, True]
    remove_data_dir(StackFolder(tmp_path / "next"))
    assert not homes[1].exists()


def test_the_state_of_a_stack_that_was_killed_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    with folder.held():
        holder = folder.holder()
        assert holder is not None
        part = Part(name="mail", kind="mail", address="127.0.0.1:1025")
        state = StackState(phase="ready", supervisor=holder, started_at="", parts=(part,))
        write_state(folder, state)
        assert read_state(folder) == state
    with pytest.raises(NotRunning, match="no stack runs"):
        read_state(folder)


def test_free_ports_differ_and_can_be_listened_on() -> None:
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    assert all(is_free(port) for port in ports)


def test_the_tail_of_a_log_is_the_line_with_the_error_and_not_the_trace(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("starting\nERROR Address already in use\n\tat java.base/Net.bind\n\nshutting down\n")
    assert last_log_line(log).startswith(": ERROR Address already in use (see ")
