"""Strict validation of manifests: built-in kinds against the API's schemas, custom ones against their CRDs'."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from tests.support.k8s_manifests import Manifest
from tests.support.k8s_vendor_schemas import TARGET, file_name

_seen: dict[str, list[str]] = {}


@lru_cache
def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((TARGET / f"{name}.json").read_text(encoding="utf-8"))
    return schema


@lru_cache
def _validator(api_version: str, kind: str) -> Validator | None:
    group, _, version = api_version.rpartition("/")
    definition = _read("kinds").get(f"{group}/{version}/{kind}")
    if definition:
        schema: dict[str, Any] = {"$ref": f"#/definitions/{definition}"}
    elif (TARGET / f"{file_name(group, version, kind)}.json").exists():
        schema = _read(file_name(group, version, kind))
    else:
        return None
    return Draft202012Validator({**schema, "definitions": _read("definitions")})


def faults(objects: Iterable[Manifest]) -> list[str]:
    """A sentence for everything that an API server would refuse by schema, unknown fields and unknown kinds among it."""
    found: list[str] = []
    for manifest in objects:
        text = json.dumps(manifest, sort_keys=True)
        if text not in _seen:
            _seen[text] = _faults_of(manifest)
        found += _seen[text]
    return found


def _faults_of(manifest: Manifest) -> list[str]:
    name = f"{manifest['kind']}/{manifest['metadata']['name']}"
    validator = _validator(manifest["apiVersion"], manifest["kind"])
    if validator is None:
        return [f"{name}: there is no schema for {manifest['apiVersion']}: add it to tests/support/k8s_vendor_schemas.py"]
    return [f"{name} {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(manifest)]
