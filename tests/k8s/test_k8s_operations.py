"""What operators run on the cluster: it starts as said, with settings that its commands take, and with rights to read alone."""

from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.k8s_manifests import environment, of_kind, overlay, pod_templates
from tuntas_contracts.topology import AGENCY_ACTIONS, CASES, TOPICS
from tuntas_contracts.vocabulary import Service
from tuntas_operations.cli import app
from tuntas_operations.rights import RECONCILE_GROUP, operations_user
from tuntas_operations.settings import OperatorSettings

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

WORKLOADS = ("Job/tuntas-doctor-0-1-0", "CronJob/tuntas-reconcile")


def container(workload: str) -> dict[str, Any]:
    (found,) = pod_templates(overlay("production"))[workload]["spec"]["containers"]
    return dict(found)


def settings(workload: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> OperatorSettings:
    """The settings as the commands load them in the pod, with a password in place of each Secret's."""
    authority = tmp_path / "ca.crt"
    authority.write_text("certificate", encoding="utf-8")
    for name, value in environment(container(workload), overlay("production")).items():
        monkeypatch.setenv(name, str(authority) if name.endswith("CA_FILE") else value or "a-password")
    return OperatorSettings()


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_arguments_are_a_command(workload: str) -> None:
    assert CliRunner().invoke(app, [*container(workload)["args"], "--help"]).exit_code == 0


def test_the_doctor_is_given_everything_that_it_examines(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    given = settings(WORKLOADS[0], monkeypatch, tmp_path)
    assert (given.kafka, given.kafka_tls, given.kafka_username) == ("tuntas-kafka-bootstrap.tuntas.svc:9093", True, "operations")
    assert given.oidc_issuer
    for service in Service:
        assert f"@tuntas-postgres-rw:5432/{service.replace('-', '_')}" in str(given.of_service("database_url", service))
        assert str(given.of_service("url", service)) == f"http://tuntas-{service}:8080"
        assert f"tuntas-{service}" in of_kind(overlay("production"), "Service")


def test_reconciliation_is_given_the_databases_that_it_compares(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    given = settings(WORKLOADS[1], monkeypatch, tmp_path)
    named = [service for service in Service if given.of_service("database_url", service)]
    assert named == [Service.INTAKE, Service.TRIAGE, Service.DISPATCH]


def test_reconciliation_runs_once_a_night_and_never_twice_at_once() -> None:
    spec = of_kind(overlay("production"), "CronJob")["tuntas-reconcile"]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("15 3 * * *", "Asia/Jakarta", "Forbid")
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 24 * 3600


def test_neither_is_part_of_the_other_overlays() -> None:
    for name in ("dev", "staging"):
        assert not of_kind(overlay(name), "CronJob")
        assert not any("doctor" in job for job in of_kind(overlay(name), "Job"))


def test_their_kafka_user_reads_everything_and_writes_nothing() -> None:
    grants = {(grant.resource, grant.name, grant.prefix): set(grant.operations) for grant in operations_user().grants}
    assert set.union(*grants.values()) == {"Read", "Describe", "DescribeConfigs"}
    assert grants["topic", CASES.name, False] == {"Read", "DescribeConfigs"}
    assert grants["topic", AGENCY_ACTIONS.name.partition("{")[0], True] == {"Read", "DescribeConfigs"}
    assert grants["cluster", "kafka-cluster", False] == {"Describe"}, "the doctor compares the access rules"
    assert grants["group", RECONCILE_GROUP, False] == {"Read"}
    assert len(grants) == len(TOPICS) + 2


def test_their_database_role_reads_and_is_admitted_to_the_five_databases_alone() -> None:
    cluster = of_kind(overlay("production"), "Cluster")["tuntas-postgres"]["spec"]
    (role,) = [role for role in cluster["managed"]["roles"] if role["name"] == "operations"]
    assert role["inRoles"] == ["pg_read_all_data"]
    assert not {"superuser", "createdb", "createrole"} & set(role)
    first, *_, last = cluster["postgresql"]["pg_hba"]
    assert first == "hostssl intake,triage,dispatch,sla_monitor,notifier operations all scram-sha-256"
    assert last == "host all all all reject"
