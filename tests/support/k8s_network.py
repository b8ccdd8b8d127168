"""What a set of NetworkPolicies lets through, by the rules of networking.k8s.io/v1 as far as ours use them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support.k8s_manifests import Manifest

Direction = Literal["Ingress", "Egress"]
_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Party:
    """A pod by namespace and labels, or something outside the cluster by its network."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None


def lets_through(policies: Iterable[Manifest], source: Party, target: Party, port: int, protocol: str = "TCP") -> bool:
    """Whether `source` may open a connection to this port of `target`."""
    given = list(policies)
    return _allowed(given, source, target, "Egress", port, protocol) and _allowed(given, target, source, "Ingress", port, protocol)


def _allowed(policies: list[Manifest], own: Party, other: Party, direction: Direction, port: int, protocol: str) -> bool:
    if own.network:
        return True
    chosen = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and direction in policy["spec"]["policyTypes"]
        and matches(policy["spec"]["podSelector"], own.labels)
    ]
    if not chosen:
        return True
    peers = "to" if direction == "Egress" else "from"
    for rule in (rule for policy in chosen for rule in policy["spec"].get(direction.lower(), ())):
        to_port = any(open_["port"] == port and open_["protocol"] == protocol for open_ in rule["ports"])
        if to_port and any(_is_peer(peer, other, own.namespace) for peer in rule[peers]):
            return True
    return False


def _is_peer(peer: dict[str, Any], party: Party, namespace: str) -> bool:
    if "ipBlock" in peer:
        return bool(party.network == peer["ipBlock"]["cidr"])
    if party.network:
        return False
    if "namespaceSelector" in peer:
        if not matches(peer["namespaceSelector"], {_NAME: party.namespace}):
            return False
    elif party.namespace != namespace:
        return False
    return matches(peer.get("podSelector", {}), party.labels)


def matches(selector: dict[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels meet a label selector; an empty one chooses all."""
    for expression in selector.get("matchExpressions", ()):
        if expression["operator"] != "In":
            raise ValueError(f"this reads no operator {expression['operator']}")
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
