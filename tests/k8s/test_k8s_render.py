"""Every overlay and every combination of components renders, and what it renders is valid by strict schemas."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from tests.support.k8s_manifests import (
    ELSEWHERE,
    K8S,
    OPTIONAL,
    OVERLAYS,
    Manifest,
    combination,
    of_kind,
    overlay,
    parse,
    pod_templates,
    settings_of,
)
from tests.support.k8s_schema import faults
from tuntas_tools.k8s.kustomize import DoesNotRender

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

SUBSETS = [chosen for size in range(len(OPTIONAL) + 1) for chosen in combinations(OPTIONAL, size)]


def test_there_is_nothing_optional_that_is_not_combined() -> None:
    there = {folder.parent.name for folder in (K8S / "components").glob("*/kustomization.yaml")}
    assert there == {*OPTIONAL, "agencies", "ingress", "operations", "settings"}
    assert OVERLAYS == ("dev", "production", "staging")


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_valid(name: str) -> None:
    assert faults(overlay(name)) == []


def test_the_agencies_part_is_valid_and_in_the_namespace_of_its_overlay() -> None:
    objects = overlay("production/agencies")
    assert faults(objects) == []
    assert {o["metadata"]["namespace"] for o in objects} == set(of_kind(overlay("production"), "Namespace"))


@pytest.mark.parametrize("components", SUBSETS, ids=lambda chosen: "+".join(chosen) or "none")
def test_a_combination_is_valid(components: tuple[str, ...], tmp_path: Path) -> None:
    objects = combination(components, tmp_path)
    assert faults(objects) == []
    _does_what_it_says(set(components), objects)


def test_the_order_of_components_does_not_matter(tmp_path: Path) -> None:
    assert _keyed(combination(OPTIONAL[::-1], tmp_path)) == _keyed(combination(OPTIONAL, tmp_path))


def _keyed(objects: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


def _does_what_it_says(components: set[str], objects: list[Manifest]) -> None:
    kinds = {o["kind"] for o in objects}
    assert ("Kafka" in kinds) == ("KafkaTopic" in kinds) == ("KafkaUser" in kinds) == ("external-kafka" not in components)
    assert ("Cluster" in kinds) == ("Database" in kinds) == ("ScheduledBackup" in kinds) == ("external-postgres" not in components)
    assert ("ScaledObject" in kinds) == ("TriggerAuthentication" in kinds) == ("no-keda" not in components)
    assert ("HorizontalPodAutoscaler" in kinds) == ("no-keda" in components)
    assert ("Deployment/tuntas-collector" in pod_templates(objects)) == ("tracing" in components)
    settings = settings_of("staging")
    (environment,) = (o["data"] for o in objects if o["kind"] == "ConfigMap" and "TUNTAS_KAFKA" in o["data"])
    assert environment["TUNTAS_KAFKA"] == (ELSEWHERE["kafka"] if "external-kafka" in components else settings["kafka"])
    assert ("TUNTAS_OTLP_ENDPOINT" in environment) == ("tracing" in components)
    database = of_kind(objects, "ConfigMap")["tuntas-database"]["data"]["DATABASE_HOST"]
    assert database == (ELSEWHERE["postgres"] if "external-postgres" in components else settings["postgres"])
    for pool in of_kind(objects, "KafkaNodePool").values():
        assert pool["spec"]["replicas"] == (1 if "single-node" in components else 3)
    for cluster in of_kind(objects, "Cluster").values():
        assert cluster["spec"]["instances"] == (1 if "single-node" in components else 3)
        assert ("synchronous" in cluster["spec"]["postgresql"]) == ("single-node" not in components), "nobody is there to wait for"


OTHER_SETTINGS = {
    "images": "other.example:5000/team",
    "tag": "7.8.9-rc1",
    "domain": "other.example",
    "environment": "development",
    "log-level": "error",
    "kafka": "broker.other.example:21001",
    "kafka-network": "198.51.100.1/32",
    "postgres": "database.other.example:21002",
    "postgres-network": "198.51.100.2/32",
    "issuer": "https://issuer.other.example",
    "issuer-network": "198.51.100.3/32",
    "issuer-port": "21003",
    "mail-relay": "relay.other.example",
    "mail-port": "21004",
    "mail-network": "198.51.100.4/32",
    "ingress-class": "other-class",
    "ingress-namespace": "other-ingress",
    "monitoring-namespace": "other-monitoring",
    "keda-namespace": "other-keda",
    "minimum-replicas": "5",
    "maximum-replicas": "17",
    "broker-storage": "21Gi",
    "database-storage": "22Gi",
    "wal-storage": "23Gi",
    "controller-storage": "24Gi",
    "backups": "s3://other/bucket",
    "backups-endpoint": "https://store.other.example",
    "trace-ratio": "0.77",
    "trace-backend": "http://other-backend:4318",
}


@pytest.mark.parametrize("components", [("tracing",), ("tracing", "no-keda"), ("tracing", "external-kafka", "external-postgres")])
def test_every_setting_goes_where_it_belongs(components: tuple[str, ...], tmp_path: Path) -> None:
    assert set(OTHER_SETTINGS) == set(settings_of("staging")) == set(settings_of("dev")) == set(settings_of("production"))
    text = json.dumps(combination(components, tmp_path, OTHER_SETTINGS))
    without_effect = {key for key, value in OTHER_SETTINGS.items() if value not in text and f": {value}" not in text}
    outside = "external-kafka" in components
    expected = (
        {"keda-namespace", "broker-storage", "controller-storage", "database-storage", "wal-storage", "backups", "backups-endpoint"}
        if outside
        else {"kafka-network", "postgres-network"}
    )
    assert without_effect == expected | {"ingress-class"}, "only production has the component that uses it"
    old = settings_of("staging")
    left = {key for key in OTHER_SETTINGS if f': "{old[key]}"' in text and not old[key].isdecimal()}
    assert not left, "the old value is still somewhere"
    assert '"tuntas-migrate-intake-7-8-9-rc1"' in text
    assert '"image": "other.example:5000/team/intake:7.8.9-rc1"' in text


def test_a_tag_that_is_no_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DoesNotRender, match="index 1 is out of bounds"):
        combination((), tmp_path, {"tag": "3f2a9c1"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: PodDisruptionBudget", "kind: PodDisruptionBudgets", "no schema"),
        ("maxUnavailable: 1", "maxUnavailables: 1", "maxUnavailables"),
        ("maxUnavailable: 1", "maxUnavailable: [1]", "not of type"),
    ],
)
def test_the_schemas_refuse_what_is_wrong(old: str, new: str, said: str) -> None:
    text = (K8S / "base" / "service" / "disruption-budget.yaml").read_text(encoding="utf-8")
    assert faults(parse(text)) == []
    assert old in text
    assert any(said in fault for fault in faults(parse(text.replace(old, new))))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: scram-sha-512", "type: plain"),
        ("operations: [Read, Write]", "operation: Read"),
        ("patternType: literal", "patternType: regex"),
    ],
)
def test_the_schemas_of_custom_kinds_refuse_what_is_wrong(old: str, new: str) -> None:
    text = (K8S / "platform" / "kafka" / "generated" / "users.yaml").read_text(encoding="utf-8")
    assert old in text
    assert faults(parse(text)) == []
    assert faults(parse(text.replace(old, new)))


def test_the_examples_are_valid() -> None:
    examples = sorted((K8S / "examples").glob("*.yaml"))
    assert {path.stem for path in examples} == {"external-secrets", "operator-user"}
    for path in examples:
        assert faults(parse(path.read_text(encoding="utf-8"))) == [], path.name
