"""Each service gets the settings it understands, scales by the groups it has, and ends in time."""

import importlib
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.deploy.compose_file import SERVICES, module_of
from tests.support.k8s_manifests import OVERLAYS, Manifest, containers, environment, of_kind, overlay, pod_templates, settings_of
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service
from tuntas_operations.rights import service_user
from tuntas_tools.k8s.secrets import service_secret

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

each_overlay = pytest.mark.parametrize("overlay_name", OVERLAYS)
each_service = pytest.mark.parametrize("service", SERVICES)
# What our own variables are made of, and what libpq's and asyncpg's own variables say of TLS.
BESIDE_SETTINGS = {
    "DATABASE_HOST",
    "DATABASE_USERNAME",
    "DATABASE_PASSWORD",
    "DOMAIN",
    "MAIL_RELAY",
    "MAIL_PORT",
    "PGSSLMODE",
    "PGSSLROOTCERT",
}
RELAY_AND_PROBE = 2
SURGE = 1


def settings_class(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"{module_of(service)}.settings").Settings
    return found


def workload(overlay_name: str, service: str) -> Manifest:
    return pod_templates(overlay(overlay_name))[f"Deployment/tuntas-{service}"]


def main_container(template: Manifest) -> Manifest:
    (found,) = template["spec"]["containers"]
    return dict(found)


def jobs(overlay_name: str) -> dict[str, Manifest]:
    """Those of the services: operations' own are looked at in test_k8s_operations."""
    return {name: job for name, job in of_kind(overlay(overlay_name), "Job").items() if not name.startswith("tuntas-doctor")}


def secrets_of(service: str) -> dict[str, str]:
    return {
        key: (entry.make or (lambda: "given-by-others"))() for key, entry in service_secret(Service(service)).items() if not entry.optional
    }


def as_a_pod_has_it(template: Manifest, overlay_name: str, service: str) -> dict[str, str]:
    """The variables of the main container, those of Secrets filled at random, as the kubelet would."""
    container, values = main_container(template), secrets_of(service)
    variables = {name: value for name, value in environment(container, overlay(overlay_name)).items() if value is not None}
    for variable in container["env"]:
        source = variable.get("valueFrom", {})
        if secret := source.get("secretKeyRef"):
            assert secret["name"] == f"tuntas-{service}"
            if secret["key"] in values:
                variables[variable["name"]] = values[secret["key"]]
            else:
                assert secret["optional"] is True, variable["name"]
        elif field := source.get("fieldRef"):
            label = field["fieldPath"].split("'")[1]
            variables[variable["name"]] = template["metadata"]["labels"][label]
    for name in ("username", "password"):
        variables["TUNTAS_DATABASE_URL"] = variables["TUNTAS_DATABASE_URL"].replace(f"database_{name}", values[name])
    return variables


@each_overlay
@each_service
def test_every_variable_is_a_setting(overlay_name: str, service: str) -> None:
    known = {f"TUNTAS_{field.upper()}" for field in settings_class(service).model_fields}
    templates = [workload(overlay_name, service), *(j["spec"]["template"] for n, j in jobs(overlay_name).items() if f"-{service}-" in n)]
    assert len(templates) == (3 if service == "dispatch" else 2)
    for template in templates:
        variables = set(environment(main_container(template), overlay(overlay_name)))
        assert variables - BESIDE_SETTINGS <= known


@each_overlay
@each_service
def test_a_service_starts_with_its_configuration(overlay_name: str, service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables = as_a_pod_has_it(workload(overlay_name, service), overlay_name, service)
    for name in ("TUNTAS_KAFKA_CA_FILE", "PGSSLROOTCERT"):
        mounted = {mount["mountPath"] for mount in main_container(workload(overlay_name, service))["volumeMounts"]}
        assert str(Path(variables[name]).parent) in mounted
        variables[name] = str(tmp_path / "ca.crt")
    (tmp_path / "ca.crt").touch()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = settings_class(service)()
    domain = settings_of(overlay_name)["domain"]
    assert settings.environment == settings_of(overlay_name)["environment"]
    assert settings.kafka == settings_of(overlay_name)["kafka"]
    assert (settings.kafka_tls, settings.kafka_username) == (True, service_user(Service(service)).name)
    assert settings.http_port == 8080
    role, host = module_of(service), settings_of(overlay_name)["postgres"]
    assert settings.database_url.get_secret_value() == f"postgresql://{role}:{secrets_of_url(settings)}@{host}/{role}"
    assert settings.simulated_clock is None
    assert settings.migrate_on_start is False
    assert settings.outbox_shards == CASES.partitions
    if service == "notifier":
        assert f"laporan@{domain}" in variables["TUNTAS_MAIL_FROM"]
    if service == "intake":
        assert variables["TUNTAS_PUBLIC_URL"] == f"https://intake.{domain}"


def secrets_of_url(settings: ServiceSettings) -> str:
    password = settings.database_url.get_secret_value().split(":")[2].split("@")[0]
    assert len(password) == 48
    return password


@each_overlay
@each_service
def test_jobs_start_with_their_configuration(overlay_name: str, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["migrate"])
    for name, job in jobs(overlay_name).items():
        if f"-{service}-" in name:
            for variable, value in as_a_pod_has_it(job["spec"]["template"], overlay_name, service).items():
                monkeypatch.setenv(variable, value)
            assert settings_class(service)().database_url


@each_overlay
def test_a_new_tag_is_a_new_job(overlay_name: str) -> None:
    suffix = settings_of(overlay_name)["tag"].replace(".", "-")
    found = jobs(overlay_name)
    assert set(found) == {*(f"tuntas-migrate-{service}-{suffix}" for service in SERVICES), f"tuntas-register-dispatch-{suffix}"}
    for job in found.values():
        spec = job["spec"]["template"]["spec"]
        assert spec["containers"][0]["args"] in (["migrate"], ["load-register"])
        # A ConfigMap whose name changes would make an unchanged tag another Job, which Kubernetes refuses.
        assert "tuntas-environment" not in str(spec)


@each_overlay
@each_service
def test_a_service_waits_for_its_schema(overlay_name: str, service: str) -> None:
    (first,) = workload(overlay_name, service)["spec"]["initContainers"]
    assert first["command"] == ["python", "/opt/schema/wait_for_schema.py"]
    assert first["image"] == main_container(workload(overlay_name, service))["image"]
    config = of_kind(overlay(overlay_name), "ConfigMap")["tuntas-schema"]
    assert "head_revision" in config["data"]["wait_for_schema.py"]


@each_service
def test_a_pod_may_take_longer_to_end_than_its_longest_drain(service: str) -> None:
    template = workload("production", service)
    container = main_container(template)
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    longest = float(settings_class(service).model_fields["drain_timeout_s"].default) + 5
    assert template["spec"]["terminationGracePeriodSeconds"] >= sleep + longest + 10


@each_service
def test_probes_ask_what_they_should(service: str) -> None:
    container = main_container(workload("production", service))
    assert container["startupProbe"]["httpGet"]["path"] == "/livez"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    # /readyz asks the database and gives up after 3 s: a probe that gives up earlier would never hear why.
    assert container["readinessProbe"]["timeoutSeconds"] > 3


@lru_cache
def groups_of(service: str) -> dict[str, tuple[str, ...]]:
    """The consumer groups that the service's own wiring makes, with the topics each reads by name."""
    settings = settings_class(service).model_construct(
        **{name: field.default for name, field in settings_class(service).model_fields.items() if not field.is_required()},
        **_required(service),
    )
    app: ServiceApp = importlib.import_module(f"{module_of(service)}.app").build(settings)
    return {name: tuple(worker.subscription.topics) for name, worker in app.workers.items()}


def _required(service: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    plain = {"kafka": "kafka:9093", "oidc_issuer": "https://issuer.example", "intake_url": "http://intake", "smtp_host": "mail"}
    hidden = {"database_url": "postgresql://a:b@c/d", "client_secret": "x"} | {
        "encryption_key": secrets_of("intake")["encryption-key"],
        "access_code_pepper": "p" * 32,
        "name_keys": secrets_of("intake")["name-keys"],
    }
    for name, field in settings_class(service).model_fields.items():
        if field.is_required():
            values[name] = plain[name] if name in plain else SecretStr(hidden[name])
    return values


@pytest.mark.parametrize("overlay_name", ["staging", "production"])
@each_service
def test_a_service_scales_by_the_lag_of_each_of_its_groups_and_by_cpu(overlay_name: str, service: str) -> None:
    spec = of_kind(overlay(overlay_name), "ScaledObject")[f"tuntas-{service}"]["spec"]
    lag = {t["metadata"]["consumerGroup"]: t["metadata"] for t in spec["triggers"] if t["type"] == "kafka"}
    assert set(lag) == set(groups_of(service))
    for group, topics in groups_of(service).items():
        # A group that reads by pattern has no topic: KEDA then sums over all that it reads.
        assert lag[group].get("topic") == (topics[0] if topics else None)
        assert lag[group]["offsetResetPolicy"] == "earliest"
        assert lag[group]["bootstrapServersFromEnv"] in environment(main_container(workload(overlay_name, service)), overlay(overlay_name))
    assert [t["metricType"] for t in spec["triggers"] if t["type"] == "cpu"] == ["Utilization"]
    assert spec["scaleTargetRef"]["name"] == f"tuntas-{service}"
    assert 2 <= spec["minReplicaCount"] < spec["maxReplicaCount"] <= CASES.partitions


@each_overlay
def test_only_the_autoscaler_says_how_many_replicas(overlay_name: str) -> None:
    objects = overlay(overlay_name)
    scalers = of_kind(objects, "ScaledObject", "HorizontalPodAutoscaler")
    assert set(scalers) == {f"tuntas-{service}" for service in SERVICES}
    for scaler in scalers.values():
        deployment = of_kind(objects, "Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in deployment["spec"]


@each_overlay
def test_the_database_takes_the_connections_of_every_replica(overlay_name: str) -> None:
    objects = overlay(overlay_name)
    spec = of_kind(objects, "Cluster")["tuntas-postgres"]["spec"]
    pool = int(str(environment(main_container(workload(overlay_name, "intake")), objects)["TUNTAS_DATABASE_POOL_SIZE"]))
    reads = int(str(environment(main_container(workload(overlay_name, "intake")), objects)["TUNTAS_DATABASE_READ_POOL_SIZE"]))
    of_one = (int(settings_of(overlay_name)["maximum-replicas"]) + SURGE) * (pool + reads + RELAY_AND_PROBE)
    limits = {role["name"]: role["connectionLimit"] for role in spec["managed"]["roles"]}
    others = limits.pop("operations", 0)
    assert of_one * len(SERVICES) + others <= int(spec["postgresql"]["parameters"]["max_connections"]) - 20
    assert all(of_one <= limit for limit in limits.values())


@each_service
def test_a_pod_asks_for_what_was_measured(service: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {service} \| (\d+) \| (\d+)Mi \| (\d+)Mi \| [\d.]+ \| (\d+m) \|$", page, re.MULTILINE)
    assert row is not None, "docs/performance.md says what each pod requests"
    measured, requested, limit = (int(figure) for figure in row.groups()[:3])
    assert measured * 1.2 < requested < limit <= measured * 2.5
    resources = main_container(workload("production", service))["resources"]
    assert resources["requests"] == {"memory": f"{requested}Mi", "cpu": row[4]}
    assert resources["limits"] == {"memory": f"{limit}Mi", "cpu": "1"}


def test_all_services_have_one_shape() -> None:
    """They differ in name, image, size and settings of their own, and in nothing else."""
    shapes = []
    for service in SERVICES:
        template = workload("production", service)
        bare = {k: v for k, v in template["spec"].items() if k not in ("containers", "initContainers", "topologySpreadConstraints")}
        main = main_container(template)
        shapes.append(
            repr((bare, {k: v for k, v in main.items() if k not in ("env", "image", "resources")})).replace(f"tuntas-{service}", "tuntas-…")
        )
        assert [c["name"] for c in containers(template)] == ["wait-for-schema", "service"]
    assert len(set(shapes)) == 1
