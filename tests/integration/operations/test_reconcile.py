"""`tuntas ops reconcile` on a cluster that settings name: what it says, its exit status, its metrics."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from tests.support.database import execute
from tests.support.operator import Operator
from tests.support.servers import Servers
from tests.support.waiting import until_it_holds
from tuntas_chassis.ids import new_id
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_contracts.topology import CASES
from tuntas_embedded.ports import free_port
from tuntas_embedded.postgres.apart import run_apart
from tuntas_operations.reconcile_metrics import ReconcileMetrics
from tuntas_operations.reconciliation.ledger import Difference
from tuntas_operations.reconciliation.rounds import Result
from tuntas_operations.topics import TopicSpec, create_topics

AN_HOUR_AGO = UUID(int=(int((time.time() - 3_600) * 1000) << 80) | (7 << 76) | (2 << 62) | 5)


@pytest.fixture
def operator(servers: Servers) -> Iterator[Operator]:
    """An installation of nobody: migrated databases, an empty cases topic."""
    urls = {package: servers.database() for package in ("intake", "triage", "dispatch")}
    for package, url in urls.items():
        run_apart(upgrade(package, url.replace("postgresql://", "postgresql+asyncpg://", 1)))
    create_topics(servers.bootstrap, [TopicSpec(CASES.name, CASES.partitions, CASES.config)])
    databases = {f"TUNTAS_DATABASE_URL_{package.upper()}": url for package, url in urls.items()}
    yield Operator({"TUNTAS_KAFKA": servers.bootstrap, **databases})
    admin = AdminClient({"bootstrap.servers": servers.bootstrap, "log_level": 0})
    admin.delete_topics([CASES.name], operation_timeout=30)[CASES.name].result()
    deadline = time.monotonic() + 30
    while CASES.name in admin.list_topics(timeout=20).topics:
        assert time.monotonic() < deadline, "the deleted topic is still shown"
        admin.poll(0.1)


async def _report(url: str, case_id: UUID) -> None:
    connection = await asyncpg.connect(url)
    try:
        columns = await connection.fetch(
            "SELECT column_name AS name, data_type AS kind FROM information_schema.columns "
            "WHERE table_name = 'report' AND is_nullable = 'NO' AND column_default IS NULL AND column_name <> 'case_id'"
        )
        made = {"text": "'x'", "uuid": f"'{new_id()}'", "bytea": "'\\x00'", "jsonb": "'{}'", "boolean": "false", "integer": "0"}
        columns_given = {row["name"]: made.get(row["kind"], "now()") for row in columns}
        names, values = ", ".join(["case_id", *columns_given]), ", ".join([f"'{case_id}'", *columns_given.values()])
        await connection.execute(f"INSERT INTO report ({names}) VALUES ({values})")
    finally:
        await connection.close()


def samples(text: str) -> dict[str, float]:
    """Every sample of a Prometheus text by its name with its labels."""
    found = re.findall(r"^(tuntas_\S+?(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_a_report_that_was_never_published_is_named_and_counted(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "reconcile.prom"
    assert "Everything agrees" in operator.run("reconcile", "--metrics-file", str(file)).output
    clean = samples(file.read_text())
    assert clean['tuntas_reconcile_differences{kind="accepted_not_published"}'] == 0
    assert clean["tuntas_reconcile_last_clean_timestamp_seconds"] == pytest.approx(time.time(), abs=60)

    run_apart(_report(operator.environment["TUNTAS_DATABASE_URL_INTAKE"], AN_HOUR_AGO))
    output = operator.run("reconcile", "--metrics-file", str(file), status=1).output
    assert "accepted_not_published" in output
    assert str(AN_HOUR_AGO) in output
    found = samples(file.read_text())
    assert found['tuntas_reconcile_differences{kind="accepted_not_published"}'] == 1
    assert found['tuntas_reconcile_cases{step="accepted"}'] == 1
    assert found["tuntas_reconcile_last_clean_timestamp_seconds"] == 0, "this process has seen no clean round"


def test_malformed_records_on_the_topic_are_counted_and_skipped(operator: Operator, servers: Servers) -> None:
    producer = Producer({"bootstrap.servers": servers.bootstrap, "log_level": 0})
    for value in (b"{", b"[]", b'{"case_id": "x"}', b'{"case_id": "%s", "version": "1", "owner": "triage"}' % str(uuid4()).encode()):
        producer.produce(CASES.name, value, headers={"ce_type": "id.tuntas.CaseReceived", "ce_id": str(uuid4())})
    assert producer.flush(20) == 0
    result = operator.json("reconcile")
    assert (result["clean"], result["unreadable"]) == (True, 4)


def test_the_metrics_are_served_and_show_the_last_round() -> None:
    metrics = ReconcileMetrics()
    port = metrics.serve("127.0.0.1", 0)
    metrics.note(Result(5, 5, 5, 4, 4, 9, ()), took_s=2.5)
    metrics.note(Result(6, 5, 5, 4, 4, 9, (Difference("no_owner", new_id(), "x"),)), took_s=1.5)
    metrics.note_failure()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        found = samples(answer.read().decode())
    assert found['tuntas_reconcile_differences{kind="no_owner"}'] == 1
    assert found['tuntas_reconcile_cases{step="accepted"}'] == 6
    assert found["tuntas_reconcile_failed_rounds_total"] == 1
    assert found["tuntas_reconcile_round_seconds"] == 1.5
    assert 0 < found["tuntas_reconcile_last_clean_timestamp_seconds"] <= found["tuntas_reconcile_last_round_timestamp_seconds"]


def test_it_keeps_comparing_and_a_round_that_fails_is_counted(operator: Operator, servers: Servers, tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "reconcile.prom"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TUNTAS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tuntas_operations", "ops", "reconcile", "--watch", "1", "--serve", str(port), "--metrics-file", str(file)],
        env=ours | operator.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def sample(name: str) -> float:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return samples(answer.read().decode()).get(name, 0.0)
        except OSError:
            return -1.0

    clean, differs = "tuntas_reconcile_last_clean_timestamp_seconds", 'tuntas_reconcile_differences{kind="accepted_not_published"}'
    try:
        until_it_holds(lambda: sample(clean) > 0, "a first clean round")
        url = operator.environment["TUNTAS_DATABASE_URL_INTAKE"]
        run_apart(_report(url, AN_HOUR_AGO))
        until_it_holds(lambda: sample(differs) == 1, "the difference to be seen by a later round")
        run_apart(execute(url, "ALTER TABLE report RENAME TO report_away"))
        until_it_holds(lambda: sample("tuntas_reconcile_failed_rounds_total") > 0, "a round to fail")
        run_apart(execute(url, "ALTER TABLE report_away RENAME TO report", "DELETE FROM report"))
        before = sample(clean)
        until_it_holds(lambda: sample(clean) > before, "a clean round after it")
        assert samples(file.read_text())["tuntas_reconcile_failed_rounds_total"] > 0
    finally:
        process.terminate()
        process.wait(30)


def test_an_invalid_port_and_an_unwritable_file_are_reported(operator: Operator, tmp_path: Path) -> None:
    assert "write a port, or host:port" in operator.refused("reconcile", "--serve", "here")
    assert "can't be written" in operator.run("reconcile", "--metrics-file", str(tmp_path / "no" / "folder.prom"), status=1).stderr


def test_missing_settings_are_named() -> None:
    without = Operator({"TUNTAS_KAFKA": f"127.0.0.1:{free_port()}"})
    assert "set TUNTAS_DATABASE_URL_INTAKE" in without.refused("reconcile")
    assert "set TUNTAS_KAFKA" in Operator({"TUNTAS_DATABASE_URL_INTAKE": "postgresql://a:b@127.0.0.1/a"}).refused("reconcile")
