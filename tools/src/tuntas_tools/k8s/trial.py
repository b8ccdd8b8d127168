"""Tries an overlay on a cluster that is there to be tried on: taken whole, no warning, all ready, no difference; then removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tuntas_tools.k8s.cluster import Cluster, ClusterRefuses
from tuntas_tools.k8s.kustomize import Kustomize
from tuntas_tools.k8s.overlays import namespace_of, parts
from tuntas_tools.k8s.secrets import random_secrets

_WITHIN_S = 180


@dataclass(frozen=True, slots=True)
class Trial:
    """A cluster to try overlays on."""

    cluster: Cluster
    kustomize: Kustomize
    say: Callable[[str], None] = print

    def prepare(self, crds: Sequence[Path]) -> None:
        """Give the cluster these CRDs. Raises ClusterRefuses where some are lacking even then."""
        for path in crds:
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                self.cluster.apply(file.read_text(encoding="utf-8"))
        if lacking := self.cluster.lacking_crds():
            raise ClusterRefuses(
                f"the cluster lacks {', '.join(lacking)}: install the operators of deploy/k8s/README.md, or give their CRDs"
            )

    def overlay(self, k8s: Path, name: str, *, keep: bool = False) -> list[str]:
        """What is wrong with an overlay here, a sentence each. Raises ClusterRefuses where it is not taken or its namespace is in use."""
        namespace = namespace_of(k8s, name)
        if self.cluster.has_namespace(namespace):
            raise ClusterRefuses(f"the cluster has a namespace {namespace}: a trial would overwrite and delete it, so take another cluster")
        rendered = {part.relative_to(k8s).as_posix(): self.kustomize.build(part) for part in parts(k8s, name)}
        faults: list[str] = []
        try:
            for part, manifests in rendered.items():
                faults += [f"{part}: {warning}" for warning in self.cluster.apply(manifests)]
                self.say(f"{part}: {manifests.count(_OBJECT) + 1} objects taken")
            self.cluster.apply(yaml.safe_dump_all(random_secrets(namespace)))
            self.cluster.wait(namespace, "deployments", "Available", _WITHIN_S)
            self.cluster.wait(namespace, "jobs", "Complete", _WITHIN_S)
            self.say(f"{name}: Deployments are available, Jobs complete")
            for part, manifests in rendered.items():
                if changes := self.cluster.diff(manifests):
                    faults.append(f"{part} differs right after it was applied:\n{changes}")
        finally:
            if not keep:
                self.cluster.delete_namespace(namespace)
        return faults


_OBJECT = "\n---\n"
