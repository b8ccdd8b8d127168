"""Makes the JSON schemas of `k8s_schemas/` from an API server's published description and from CRDs, descriptions left out.

python -m tests.support.k8s_vendor_schemas --swagger api/openapi-spec/swagger.json --crds FOLDER_OR_FILE …
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).parent / "k8s_schemas"
BUILT_IN = {
    ("", "v1", "ConfigMap"),
    ("", "v1", "Namespace"),
    ("", "v1", "Secret"),
    ("", "v1", "Service"),
    ("", "v1", "ServiceAccount"),
    ("apps", "v1", "Deployment"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("batch", "v1", "CronJob"),
    ("batch", "v1", "Job"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("policy", "v1", "PodDisruptionBudget"),
}
CUSTOM = {
    ("barmancloud.cnpg.io", "v1", "ObjectStore"),
    ("external-secrets.io", "v1", "ExternalSecret"),
    ("kafka.strimzi.io", "v1", "Kafka"),
    ("kafka.strimzi.io", "v1", "KafkaNodePool"),
    ("kafka.strimzi.io", "v1", "KafkaTopic"),
    ("kafka.strimzi.io", "v1", "KafkaUser"),
    ("keda.sh", "v1alpha1", "ScaledObject"),
    ("keda.sh", "v1alpha1", "TriggerAuthentication"),
    ("monitoring.coreos.com", "v1", "PodMonitor"),
    ("monitoring.coreos.com", "v1", "PrometheusRule"),
    ("postgresql.cnpg.io", "v1", "Cluster"),
    ("postgresql.cnpg.io", "v1", "Database"),
    ("postgresql.cnpg.io", "v1", "ScheduledBackup"),
}
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_DROPPED = {"description", "default", "example", "title", "x-kubernetes-validations"}


_JUNCTORS = {"allOf", "anyOf", "oneOf", "not"}


def strict(node: Any, *, names: bool = False, closed: bool = True) -> Any:
    """A schema that refuses what it does not list, unless it says that unknown fields are kept. `names` is a map of fields.

    A branch of an alternative lists only what it asks for beside the schema around it, so it is not `closed`.
    """
    if isinstance(node, list):
        return [strict(item, closed=closed) for item in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {name: strict(schema, closed=closed) for name, schema in node.items()}
    if node.get("format") == "int-or-string" or node.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    found = {
        key: strict(value, names=key in ("properties", "definitions"), closed=closed and key not in _JUNCTORS)
        for key, value in node.items()
        if key not in _DROPPED and not key.startswith("x-kubernetes-")
    }
    if closed and "properties" in found and "additionalProperties" not in found and not node.get("x-kubernetes-preserve-unknown-fields"):
        found["additionalProperties"] = False
    return found


def references(node: Any) -> Iterator[str]:
    """The names of the definitions that a schema refers to."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rsplit("/", 1)[1]
        for value in node.values():
            yield from references(value)


def built_in(swagger: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The definitions that the built-in kinds need, and which of them each kind is."""
    definitions = swagger["definitions"]
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = {"type": ["string", "number"]}
    kinds = {
        f"{gvk['group']}/{gvk['version']}/{gvk['kind']}": name
        for name, schema in definitions.items()
        for gvk in schema.get("x-kubernetes-group-version-kind", ())
        if (gvk["group"], gvk["version"], gvk["kind"]) in BUILT_IN
    }
    needed, waiting = set[str](), [*kinds.values(), _META]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting.extend(references(definitions[name]))
    return {name: strict(definitions[name]) for name in sorted(needed)}, kinds


def custom(files: list[Path]) -> dict[str, Any]:
    """The schema of each custom kind, from the CRDs in these files."""
    found = {}
    for file in files:
        for crd in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
            for version in crd["spec"]["versions"]:
                if (group, version["name"], kind) in CUSTOM:
                    schema = strict(version["schema"]["openAPIV3Schema"])
                    schema["properties"] |= {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"$ref": f"#/definitions/{_META}"},
                    }
                    schema["properties"].pop("status", None)
                    found[f"{group}/{version['name']}/{kind}"] = schema
    return found


def main() -> None:
    """Write `definitions.json`, `kinds.json` and a file for each custom kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swagger", type=Path, required=True)
    parser.add_argument("--crds", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    files = [file for path in arguments.crds for file in ([path] if path.is_file() else sorted(path.iterdir()))]
    definitions, kinds = built_in(json.loads(arguments.swagger.read_text(encoding="utf-8")))
    schemas = custom(files)
    lacking = {"/".join(kind) for kind in BUILT_IN | CUSTOM} - set(kinds) - set(schemas)
    if lacking:
        raise SystemExit(f"not found: {', '.join(sorted(lacking))}")
    for old in TARGET.glob("*.json"):
        old.unlink()
    _write("definitions", definitions)
    for name, schema in schemas.items():
        group, version, kind = name.split("/")
        _write(file_name(group, version, kind), schema)
    _write("kinds", dict(sorted(kinds.items())))


def file_name(group: str, version: str, kind: str) -> str:
    """The name of a custom kind's file, without its ending."""
    return f"{kind.lower()}.{version}.{group}"


def _write(name: str, content: dict[str, Any]) -> None:
    TARGET.mkdir(exist_ok=True)
    (TARGET / f"{name}.json").write_text(json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
