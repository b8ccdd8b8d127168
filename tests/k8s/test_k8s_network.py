"""Who can talk to whom in a cluster that enforces the NetworkPolicies: what the topology and the settings ask for, nothing else."""

from pathlib import Path

import pytest

from tests.deploy.compose_file import SERVICES
from tests.support.k8s_manifests import ELSEWHERE, OVERLAYS, Manifest, combination, of_kind, overlay, pod_templates, settings_of
from tests.support.k8s_network import Party, lets_through
from tuntas_contracts.topology import TOPICS

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

HTTP, KAFKA, POSTGRES, DNS, OTLP = 8080, 9093, 5432, 53, 4318
Edge = tuple[str, str, int]


def parties(objects: list[Manifest], overlay_name: str) -> list[Party]:
    (namespace,) = of_kind(objects, "Namespace")
    settings = settings_of(overlay_name)
    ours = [Party(where, namespace, template["metadata"]["labels"]) for where, template in pod_templates(objects).items()]
    return [
        *ours,
        Party("kafka", namespace, {"strimzi.io/cluster": "tuntas", "strimzi.io/broker-role": "true"}),
        Party("postgres", namespace, {"cnpg.io/cluster": "tuntas-postgres"}),
        Party("stranger", namespace, {"app": "stranger"}),
        Party("dns", "kube-system", {"k8s-app": "kube-dns"}),
        Party("ingress", settings["ingress-namespace"], {"app": "any"}),
        Party("prometheus", settings["monitoring-namespace"], {"app": "any"}),
        Party("elsewhere", "elsewhere", {"app.kubernetes.io/component": "service", "app.kubernetes.io/part-of": "tuntas"}),
        Party("internet", network="0.0.0.0/0"),
        Party("documentation", network="192.0.2.0/24"),
    ]


def edges(objects: list[Manifest], overlay_name: str = "staging", ports: tuple[int, ...] = ()) -> set[Edge]:
    """Every connection that begins or ends at a pod of ours, among the ports that anything here has."""
    policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
    known_parties = parties(objects, overlay_name)
    known = {HTTP, KAFKA, POSTGRES, DNS, OTLP, 22, 80, 443, 587, 8888, 9187, *ports}
    return {
        (source.name, target.name, port)
        for source in known_parties
        for target in known_parties
        if source is not target and ("/" in source.name or "/" in target.name)
        for port in known
        if lets_through(policies, source, target, port)
    }


def expected(*, tracing: bool, jobs: list[str], kafka: tuple[str, int], postgres: tuple[str, int]) -> set[Edge]:
    speaking = {who for topic in TOPICS for who in (*topic.readers, *(p.producer for p in topic.publications))}
    found: set[Edge] = set()
    for service in SERVICES:
        own = f"Deployment/tuntas-{service}"
        assert service in speaking
        found |= {(own, "dns", DNS), (own, *kafka), (own, *postgres), (own, "internet", 443)}
        found |= {("ingress", own, HTTP), ("prometheus", own, HTTP)}
        if tracing:
            found.add((own, "Deployment/tuntas-collector", OTLP))
    found |= {("Deployment/tuntas-notifier", "Deployment/tuntas-intake", HTTP), ("Deployment/tuntas-notifier", "internet", 587)}
    for job in jobs:
        found |= {(job, "dns", DNS), (job, *postgres)}
    if tracing:
        collector = "Deployment/tuntas-collector"
        found |= {(collector, "dns", DNS), (collector, "prometheus", OTLP), ("prometheus", collector, 8888)}
    return found


def jobs_of(objects: list[Manifest]) -> list[str]:
    """Those that reach the database alone."""
    return [where for where in pod_templates(objects) if where.startswith("Job/") and "doctor" not in where]


def of_operations(objects: list[Manifest], kafka: tuple[str, int], postgres: tuple[str, int]) -> set[Edge]:
    """What doctor and reconciliation reach, where they are."""
    found: set[Edge] = set()
    for own in (where for where in pod_templates(objects) if where.startswith(("Job/tuntas-doctor", "CronJob/"))):
        found |= {(own, "dns", DNS), (own, *kafka), (own, *postgres), (own, "internet", 443)}
        found |= {(own, f"Deployment/tuntas-{service}", HTTP) for service in SERVICES}
    return found


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_is_open_is_what_is_needed(name: str) -> None:
    objects = overlay(name)
    tracing = "Deployment/tuntas-collector" in pod_templates(objects)
    kafka, postgres = ("kafka", KAFKA), ("postgres", POSTGRES)
    wanted = expected(tracing=tracing, jobs=jobs_of(objects), kafka=kafka, postgres=postgres)
    assert edges(objects, name) == wanted | of_operations(objects, kafka, postgres)


@pytest.mark.parametrize("more", [(), ("operations",)], ids=["services", "and operations"])
def test_a_broker_and_a_database_elsewhere_are_reached_there_and_only_there(more: tuple[str, ...], tmp_path: Path) -> None:
    objects = combination((*more, "external-kafka", "external-postgres"), tmp_path)
    kafka, postgres = (("documentation", int(ELSEWHERE[part].split(":")[1])) for part in ("kafka", "postgres"))
    found = edges(objects, ports=(kafka[1], postgres[1]))
    wanted = expected(tracing=False, jobs=jobs_of(objects), kafka=kafka, postgres=postgres)
    assert found == wanted | of_operations(objects, kafka, postgres)
    assert bool(more) == any("doctor" in source for source, _, _ in found)


def test_without_the_policies_everything_would_be_open() -> None:
    objects = [o for o in overlay("staging") if o["kind"] != "NetworkPolicy"]
    assert ("Deployment/tuntas-triage", "Deployment/tuntas-intake", HTTP) in edges(objects)


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_broker_hears_services_the_autoscaler_and_operations_alone(name: str) -> None:
    spec = of_kind(overlay(name), "Kafka")["tuntas"]["spec"]["kafka"]
    peers = {listener["name"]: listener.get("networkPolicyPeers") for listener in spec["listeners"]}
    services, autoscaler, *operations = peers["tls"]
    wanted = {"app.kubernetes.io/component": "operations", "app.kubernetes.io/part-of": "tuntas"}
    assert [peer["podSelector"]["matchLabels"] for peer in operations] == ([wanted] if name == "production" else [])
    assert services["podSelector"]["matchLabels"] == {"app.kubernetes.io/component": "service", "app.kubernetes.io/part-of": "tuntas"}
    assert autoscaler["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": settings_of(name)["keda-namespace"]}
    assert set(peers) == ({"tls", "agencies"} if name == "production" else {"tls"})
