"""An overlay on a cluster, by kubectl: apply it, compare with it, try it."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuntas_operations.errors import MissingProgram, StackError

# The overlay is the truth: what another tool wrote into our fields meanwhile (`kubectl rollout undo`, `kubectl apply -k`) is set back.
_SERVER_SIDE = ("--server-side", "--field-manager=tuntas", "--force-conflicts", "--filename=-")
NEEDED_CRDS = (
    "clusters.postgresql.cnpg.io",
    "databases.postgresql.cnpg.io",
    "kafkanodepools.kafka.strimzi.io",
    "kafkas.kafka.strimzi.io",
    "kafkatopics.kafka.strimzi.io",
    "kafkausers.kafka.strimzi.io",
    "objectstores.barmancloud.cnpg.io",
    "podmonitors.monitoring.coreos.com",
    "scaledobjects.keda.sh",
    "scheduledbackups.postgresql.cnpg.io",
    "triggerauthentications.keda.sh",
)
_DIFFERS = 1


class ClusterRefuses(StackError):
    """The cluster does not take what it was given, or does not do it in time."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, by kubectl and its kubeconfig."""

    kubectl: str
    kubeconfig: Path

    @classmethod
    def at(cls, kubeconfig: Path | None) -> "Cluster":
        """The cluster of a kubeconfig, that of `$KUBECONFIG` where none is given. Raises MissingProgram, ClusterRefuses."""
        kubectl = os.environ.get("TUNTAS_KUBECTL") or shutil.which("kubectl")
        if kubectl is None:
            raise MissingProgram("kubectl is not on this machine: install it, or name it in TUNTAS_KUBECTL")
        path = kubeconfig or (Path(os.environ["KUBECONFIG"]) if os.environ.get("KUBECONFIG") else None)
        if path is None or not path.is_file():
            raise ClusterRefuses(f"there is no kubeconfig {path or ''}: name one, as in `make k8s-diff KUBECONFIG=…`")
        return cls(kubectl, path)

    def apply(self, manifests: str) -> list[str]:
        """Apply server-side; gives the API server's warnings. Raises ClusterRefuses."""
        done = self._run(["apply", *_SERVER_SIDE], manifests)
        return [line for line in done.stderr.splitlines() if line.startswith("Warning:")]

    def diff(self, manifests: str) -> str:
        """What an apply would change, empty where nothing. Raises ClusterRefuses."""
        return self._run(["diff", *_SERVER_SIDE], manifests, accepted=(0, _DIFFERS)).stdout

    def lacking_crds(self) -> list[str]:
        """The kinds that the overlays use and this cluster does not know."""
        answer = json.loads(self._run(["get", "crds", "--output=json"]).stdout)
        return sorted(set(NEEDED_CRDS) - {item["metadata"]["name"] for item in answer["items"]})

    def has_namespace(self, name: str) -> bool:
        """Whether there is such a namespace."""
        return bool(self._run(["get", "namespace", name, "--ignore-not-found", "--output=name"]).stdout.strip())

    def wait(self, namespace: str, kind: str, condition: str, within_s: int) -> None:
        """Wait until every object of a kind meets a condition. Raises ClusterRefuses."""
        self._run(["--namespace", namespace, "wait", f"--for=condition={condition}", kind, "--all", f"--timeout={within_s}s"])

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace with all that is in it."""
        self._run(["delete", "namespace", name, "--ignore-not-found", "--wait=true"])

    def _run(self, arguments: Sequence[str], manifests: str = "", accepted: Sequence[int] = (0,)) -> "subprocess.CompletedProcess[str]":
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)
        if done.returncode not in accepted:
            raise ClusterRefuses(f"kubectl {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done
