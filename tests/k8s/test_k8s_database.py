"""A pod's way to its database, on a real PostgreSQL with the rules of `platform/postgres`, without TLS, which the wheel's lacks."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import pytest

from tests.support.k8s_manifests import K8S, of_kind, parse
from tests.support.names import NAME_KEY
from tuntas_embedded.folder import StackFolder
from tuntas_embedded.ports import free_port
from tuntas_embedded.postgres.data_dir import data_dir_of
from tuntas_embedded.postgres.databases import provide_databases
from tuntas_embedded.postgres.server import PostgresServer
from tuntas_embedded.processes import Supervisor

SCRIPT = K8S / "base" / "service" / "wait_for_schema.py"
WITHIN_S = 120.0


@dataclass(frozen=True)
class Database:
    """A server as CloudNativePG is configured to run it, with the databases of two services."""

    urls: dict[str, str]

    def environment(self, service: str, **changes: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TUNTAS_", "PG"))}
        return inherited | {
            "SERVICE": service,
            "TUNTAS_DATABASE_URL": self.urls[service],
            "TUNTAS_KAFKA": "not-used.invalid:9093",
            "TUNTAS_OIDC_ISSUER": "https://not-used.invalid",
            "TUNTAS_NAME_KEYS": NAME_KEY,
            **changes,
        }


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("database")
    folder.chmod(0o711)
    stack = StackFolder(folder / "stack")
    stack.make()
    server, supervisor = PostgresServer(stack, free_port(), stack.logs / "postgres.log"), Supervisor()
    try:
        supervisor.start(server.prepare())
        urls = provide_databases(server.admin_url, {"triage": "secret", "notifier": "secret"})
        (data_dir_of(stack) / "data" / "pg_hba.conf").write_text(rules(), encoding="utf-8")
        asyncio.run(reload(server.admin_url))
        yield Database(urls)
    finally:
        supervisor.stop_all()


def rules() -> str:
    (cluster,) = of_kind(parse((K8S / "platform" / "postgres" / "cluster.yaml").read_text(encoding="utf-8")), "Cluster").values()
    hba = "\n".join(cluster["spec"]["postgresql"]["pg_hba"]).replace("hostssl", "host")
    return f"host postgres postgres all scram-sha-256\n{hba}\n"


async def reload(admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


def migrate(database: Database, service: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", service, "migrate"],
        env=database.environment(service, **changes),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def test_a_pod_waits_until_the_job_has_migrated(database: Database) -> None:
    waiting = subprocess.Popen([sys.executable, str(SCRIPT)], env=database.environment("triage"), stdout=subprocess.PIPE, text=True)
    try:
        assert waiting.stdout is not None
        assert "stands at migration None, this image needs 0" in waiting.stdout.readline()
        assert waiting.poll() is None
        done = migrate(database, "triage")
        assert done.returncode == 0, done.stderr
        assert waiting.wait(timeout=WITHIN_S) == 0
    finally:
        waiting.kill()
        waiting.communicate()


def test_a_pod_whose_database_is_away_says_so_and_waits(database: Database) -> None:
    nobody = {"TUNTAS_DATABASE_URL": f"postgresql://a:b@127.0.0.1:{free_port()}/a"}
    waiting = subprocess.Popen(
        [sys.executable, str(SCRIPT)], env=database.environment("triage", **nobody), stdout=subprocess.PIPE, text=True
    )
    try:
        assert waiting.stdout is not None
        assert "the database does not answer: ConnectionRefusedError" in waiting.stdout.readline()
        assert waiting.poll() is None
    finally:
        waiting.kill()
        waiting.communicate()


def test_a_server_without_tls_is_refused_as_the_pods_are_configured(database: Database) -> None:
    done = migrate(database, "triage", PGSSLMODE="require")
    assert done.returncode != 0
    assert "rejected SSL upgrade" in done.stderr


def test_a_role_reaches_no_database_but_its_own(database: Database) -> None:
    of_another = database.urls["triage"].rpartition("/")[0] + "/notifier"
    done = migrate(database, "triage", TUNTAS_DATABASE_URL=of_another)
    assert done.returncode != 0
    assert "pg_hba.conf rejects connection" in done.stderr
