"""`deploy/k8s` as a cluster would get it: overlays and combinations of components, rendered once per test run."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.compose_file import ROOT
from tuntas_tools.k8s.kustomize import Kustomize, find_kustomize
from tuntas_tools.k8s.overlays import overlay_names

K8S = ROOT / "deploy" / "k8s"
OVERLAYS = tuple(overlay_names(K8S))
OPTIONAL = ("alerts", "external-kafka", "external-postgres", "no-keda", "single-node", "tracing")
ELSEWHERE = {"kafka": "broker.example:19093", "postgres": "database.example:15432"}

Manifest = dict[str, Any]


@lru_cache
def kustomize() -> Kustomize:
    """The kustomize of this machine; the first call may build one."""
    return find_kustomize()


def parse(text: str) -> list[Manifest]:
    """The objects of a stream of YAML documents."""
    return [document for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document]


@lru_cache
def overlay(name: str) -> list[Manifest]:
    """The objects of one overlay, or of a part of one (`production/agencies`)."""
    return parse(kustomize().build(K8S / "overlays" / name))


def combination(components: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None) -> list[Manifest]:
    """The objects of base and platform with these components, as an operator's own overlay in `folder` would have them.

    Its settings are staging's, with the addresses of what is external, or those of `settings` where given.
    """
    staging = K8S / "overlays" / "staging"
    (folder / "namespace.yaml").write_bytes((staging / "namespace.yaml").read_bytes())
    document = yaml.safe_load((staging / "settings.yaml").read_text(encoding="utf-8"))
    document["data"] |= {part: address for part, address in ELSEWHERE.items() if f"external-{part}" in components} | dict(settings or {})
    (folder / "settings.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    root = Path(os.path.relpath(K8S.resolve(), folder.resolve())).as_posix()
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "tuntas-staging",
        "resources": ["namespace.yaml", "settings.yaml", f"{root}/base", f"{root}/platform/kafka", f"{root}/platform/postgres"],
        "components": [f"{root}/components/{name}" for name in (*components, "settings")],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return parse(kustomize().build(folder))


@lru_cache
def settings_of(name: str) -> dict[str, str]:
    """What an overlay's one place says."""
    settings: dict[str, str] = yaml.safe_load((K8S / "overlays" / name / "settings.yaml").read_text(encoding="utf-8"))["data"]
    return settings


def of_kind(objects: Iterable[Manifest], *kinds: str) -> dict[str, Manifest]:
    """The objects of these kinds by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] in kinds}


def pod_templates(objects: Iterable[Manifest]) -> dict[str, Manifest]:
    """The pod template of every workload, by `Kind/name`."""
    specs = {f"{o['kind']}/{o['metadata']['name']}": o["spec"] for o in objects if o["kind"] in ("Deployment", "Job", "CronJob")}
    return {name: spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"] for name, spec in specs.items()}


def containers(template: Manifest) -> Iterator[Manifest]:
    """Every container of a pod, init containers first."""
    yield from template["spec"].get("initContainers", ())
    yield from template["spec"]["containers"]


def environment(container: Manifest, objects: Iterable[Manifest]) -> dict[str, str | None]:
    """A container's variables as the kubelet would set them; None for a value that is in a Secret or in the pod's labels."""
    maps = of_kind(objects, "ConfigMap")
    settings: dict[str, str | None] = {}
    for source in container.get("envFrom", ()):
        settings |= maps[source["configMapRef"]["name"]]["data"]
    own: dict[str, str | None] = {}
    for variable in container.get("env", ()):
        chosen = variable.get("valueFrom", {}).get("configMapKeyRef")
        own[variable["name"]] = maps[chosen["name"]]["data"][chosen["key"]] if chosen else _expanded(variable.get("value"), own)
    return settings | own


def _expanded(value: str | None, known: dict[str, str | None]) -> str | None:
    # Kubernetes expands $(NAME) of what is before it in `env`, and not of `envFrom`.
    for name, known_value in known.items():
        value = value.replace(f"$({name})", known_value or name.lower()) if value else value
    return value
