"""What every manifest must hold: pinned images, no privilege, no secret, bounded resources, selectors that find their pods."""

import re
from collections.abc import Iterable

import pytest

from tests.architecture.built_services import built
from tests.deploy.compose_file import SERVICES
from tests.support.k8s_manifests import K8S, OVERLAYS, Manifest, containers, of_kind, overlay, pod_templates, settings_of
from tests.support.k8s_network import matches

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

each_overlay = pytest.mark.parametrize("name", OVERLAYS)
OF_OPERATIONS = {"Job/tuntas-doctor": (384, 100), "CronJob/tuntas-reconcile": (2048, 500)}
"""What operators run, and its bounds: MiB of memory and thousandths of a processor. Reconciliation reads everything."""
MEBIBYTES = {"Mi": 1, "Gi": 1024}
SECRET_WORDS = re.compile(r"(password|secret|pepper|encryption[-_]key|token)\w*\s*[:=]\s*[\"']?([A-Za-z0-9+/=_-]{8,})", re.IGNORECASE)


def all_containers(objects: Iterable[Manifest]) -> list[tuple[str, Manifest]]:
    return [(f"{name}/{c['name']}", c) for name, template in pod_templates(objects).items() for c in containers(template)]


@each_overlay
def test_images_are_pinned_and_ours_are_those_of_the_settings(name: str) -> None:
    settings = settings_of(name)
    for where, container in all_containers(overlay(name)):
        image, _, tag = container["image"].rpartition(":")
        assert re.fullmatch(r"\d+\.\d+\.\d+(-[a-z0-9]+)*", tag), f"{where}: {container['image']}"
        if "collector" not in where:
            assert (image.rpartition("/")[0], tag) == (settings["images"], settings["tag"]), where
            assert image.rpartition("/")[2] in where or where.startswith(tuple(OF_OPERATIONS)), where
        assert container["imagePullPolicy"] == "IfNotPresent", where


@each_overlay
def test_pods_have_no_rights(name: str) -> None:
    """Pod Security `restricted`, and what it does not ask for: nothing to write to, no user of a name, no token."""
    objects = overlay(name)
    for where, template in pod_templates(objects).items():
        spec = template["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, where
        assert security["runAsUser"] == security["runAsGroup"] == 10001, where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert spec["automountServiceAccountToken"] is False, where
        assert spec["enableServiceLinks"] is False, where
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), where
        assert all({"configMap", "secret", "emptyDir"} & set(volume) for volume in spec["volumes"]), where
    for where, container in all_containers(objects):
        expected = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["securityContext"] == expected, where
        assert "hostPort" not in str(container.get("ports")), where
    for account in of_kind(objects, "ServiceAccount").values():
        assert account["automountServiceAccountToken"] is False
    (namespace,) = of_kind(objects, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@each_overlay
def test_nothing_may_act_on_the_cluster(name: str) -> None:
    assert not {o["kind"] for o in overlay(name)} & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "DaemonSet", "Pod"}


@each_overlay
def test_every_container_has_bounds(name: str) -> None:
    for where, container in all_containers(overlay(name)):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert set(requests) == set(limits) == {"cpu", "memory"}, where
        most_memory, most_cpu = next((bounds for start, bounds in OF_OPERATIONS.items() if where.startswith(start)), (256, 300))
        assert 64 <= mebibytes(requests["memory"]) <= mebibytes(limits["memory"]) <= most_memory, where
        assert 50 <= int(requests["cpu"].removesuffix("m")) <= most_cpu, where
    for where, template in pod_templates(overlay(name)).items():
        assert all("sizeLimit" in volume["emptyDir"] for volume in template["spec"]["volumes"] if "emptyDir" in volume), where


def mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * MEBIBYTES[quantity[-2:]]


def test_no_file_holds_a_secret() -> None:
    files = [path for path in K8S.rglob("*") if path.is_file() and "generated" not in path.parts]
    assert len(files) > 40
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^kind: Secret$", text, re.MULTILINE), path
        assert "PRIVATE KEY" not in text, path


def test_a_secret_in_plain_sight_would_be_found() -> None:
    assert SECRET_WORDS.search("value: x\npassword: hunter2hunter2")


@each_overlay
def test_no_object_holds_a_secret(name: str) -> None:
    objects = overlay(name)
    assert not of_kind(objects, "Secret")
    for where, container in all_containers(objects):
        for variable in container.get("env", ()):
            if re.search(r"PASSWORD|SECRET|PEPPER|KEY", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], f"{where}: {variable['name']}"
    for config in of_kind(objects, "ConfigMap").values():
        for key, value in config["data"].items():
            assert not re.search(r"password|secret|pepper|token", key, re.IGNORECASE), key
            if not key.endswith(".py"):
                assert not SECRET_WORDS.search(f"{key}: {value}"), key


@each_overlay
def test_everything_is_in_the_namespace_and_named_ours(name: str) -> None:
    objects = overlay(name)
    (namespace,) = of_kind(objects, "Namespace")
    for o in objects:
        if o["kind"] != "Namespace":
            assert o["metadata"]["namespace"] == namespace, o["metadata"]["name"]
        if o["apiVersion"] != "kafka.strimzi.io/v1":
            assert o["metadata"]["name"].startswith("tuntas"), o["metadata"]["name"]
            assert re.fullmatch(r"[a-z0-9-]{1,63}", o["metadata"]["name"]), o["metadata"]["name"]
    assert len({(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in objects}) == len(objects)


@each_overlay
def test_selectors_find_their_own_pods_and_no_others(name: str) -> None:
    objects = overlay(name)
    pods = {where: template["metadata"]["labels"] for where, template in pod_templates(objects).items()}
    for service in (*SERVICES, *(["collector"] if "tracing" in str(pods) or "Deployment/tuntas-collector" in pods else [])):
        own, workload = f"tuntas-{service}", f"Deployment/tuntas-{service}"
        selectors = {
            "Deployment": of_kind(objects, "Deployment")[own]["spec"]["selector"],
            "Service": {"matchLabels": of_kind(objects, "Service")[own]["spec"]["selector"]},
            "PodDisruptionBudget": of_kind(objects, "PodDisruptionBudget")[own]["spec"]["selector"],
            "PodMonitor": of_kind(objects, "PodMonitor")[own]["spec"]["selector"],
            "NetworkPolicy": of_kind(objects, "NetworkPolicy")[own]["spec"]["podSelector"],
        }
        for constraint in of_kind(objects, "Deployment")[own]["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            selectors[constraint["topologyKey"]] = constraint["labelSelector"]
        for kind, selector in selectors.items():
            assert [where for where, labels in pods.items() if matches(selector, labels)] == [workload], f"{kind} {own}"


@each_overlay
def test_ports_that_are_named_are_there(name: str) -> None:
    objects = overlay(name)
    templates = pod_templates(objects)
    for own, service in of_kind(objects, "Service").items():
        ports = {port["name"] for c in containers(templates[f"Deployment/{own}"]) for port in c.get("ports", ())}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, own
        monitor = of_kind(objects, "PodMonitor")[own]
        assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= ports, own
    for own, ingress in of_kind(objects, "Ingress").items():
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            backend = path["backend"]["service"]
            assert backend["name"] == own
            assert backend["port"]["name"] in {port["name"] for port in of_kind(objects, "Service")[own]["spec"]["ports"]}, own
        assert ingress["spec"]["ingressClassName"] == settings_of(name)["ingress-class"]
        assert ingress["spec"]["rules"][0]["host"] == f"{own.removeprefix('tuntas-')}.{settings_of(name)['domain']}"


# health, operators and auditors, the notifier, erasure
INSIDE = ("/livez", "/readyz", "/v1/parked", "/v1/set-aside", "/v1/agency-changes", "/v1/contacts/", "/v1/reporters/")


@pytest.mark.parametrize("service", SERVICES)
def test_each_route_is_either_public_or_named_as_one_that_stays_inside(service: str) -> None:
    ingress = of_kind(overlay("production"), "Ingress").get(f"tuntas-{service}")
    public = [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]] if ingress else []
    for route in built(service).http.openapi()["paths"]:
        reached = any(route == path or route.startswith(f"{path}/") for path in public)
        if service == "notifier":
            assert not reached, "the notifier has no public interface"
        else:
            assert reached != route.startswith(INSIDE), f"{route} of {service}: decide whether it is public"


@each_overlay
def test_what_is_referred_to_is_there(name: str) -> None:
    objects = overlay(name)
    maps, accounts = of_kind(objects, "ConfigMap"), of_kind(objects, "ServiceAccount")
    for where, template in pod_templates(objects).items():
        assert template["spec"]["serviceAccountName"] in accounts, where
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        assert {v["configMap"]["name"] for v in volumes.values() if "configMap" in v} <= set(maps), where
        mounted = {mount["name"] for c in containers(template) for mount in c["volumeMounts"]}
        assert mounted == set(volumes), where
        for container in containers(template):
            assert {s["configMapRef"]["name"] for s in container.get("envFrom", ())} <= set(maps), where


@each_overlay
def test_a_drain_of_a_node_takes_one_pod_at_a_time_and_never_waits_for_a_sick_one(name: str) -> None:
    for budget in of_kind(overlay(name), "PodDisruptionBudget").values():
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
